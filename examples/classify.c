/* Classifies a JPEG file with a network that is in the program, in plain C.
 *
 *   rootc nin.mlir --mode=infer --weights=weights.safetensors -o nin.a
 *   cc -include ./nin.h -DNAME=nin classify.c nin.a -ljpeg -lm -pthread
 *   ./a.out photo.jpg
 *
 * libjpeg reads the file; all else, from resizing to softmax, is nin.a's. */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#define JOIN(name, end) name##end
#define OF(name, end) JOIN(name, end)

typedef struct Reader {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  jmp_buf escape;
} Reader;

static void stop(j_common_ptr common) {
  common->err->output_message(common);
  longjmp(((Reader *)common->client_data)->escape, 1);
}

/* RGB or grey pixels, [height, width, channels]; null after a message. */
static unsigned char *read_jpeg(FILE *file, int channels, long *height,
                                long *width) {
  Reader reader;
  unsigned char *volatile pixels = NULL;
  reader.jpeg.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = stop;
  reader.jpeg.client_data = &reader;
  if (setjmp(reader.escape)) {
    jpeg_destroy_decompress(&reader.jpeg);
    free(pixels);
    return NULL;
  }
  jpeg_create_decompress(&reader.jpeg);
  jpeg_stdio_src(&reader.jpeg, file);
  jpeg_read_header(&reader.jpeg, TRUE);
  reader.jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&reader.jpeg);
  *height = reader.jpeg.output_height;
  *width = reader.jpeg.output_width;
  size_t row = (size_t)*width * channels;
  pixels = malloc(*height * row);
  if (!pixels) {
    fprintf(stderr, "memory ran out\n");
    longjmp(reader.escape, 1);
  }
  while (reader.jpeg.output_scanline < reader.jpeg.output_height) {
    JSAMPROW line = pixels + reader.jpeg.output_scanline * row;
    jpeg_read_scanlines(&reader.jpeg, &line, 1);
  }
  jpeg_finish_decompress(&reader.jpeg);
  jpeg_destroy_decompress(&reader.jpeg);
  return pixels;
}

int main(int count, char **arguments) {
  const rootc_model *model = OF(NAME, _model)();
  FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
  if (!file) {
    fprintf(stderr, "give the name of a JPEG file that can be read\n");
    return 1;
  }
  long height, width;
  unsigned char *pixels =
      read_jpeg(file, (int)model->channels, &height, &width);
  fclose(file);
  if (!pixels)
    return 1;
  rootc_context context = {0};
  float *probabilities = malloc(model->classes * sizeof(float));
  int failed = !probabilities || OF(NAME, _classify)(pixels, height, width,
                                                     width * model->channels,
                                                     probabilities, &context);
  if (failed)
    fprintf(stderr, "%s\n", context.error);
  for (int64_t i = 0; !failed && i < model->classes; ++i) {
    if (model->weights->class_names)
      printf("%s", model->weights->class_names[i]);
    else
      printf("%lld", (long long)i);
    printf(" %.9g\n", probabilities[i]);
  }
  free(probabilities);
  free(pixels);
  return failed;
}
