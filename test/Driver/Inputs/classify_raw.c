/* What -DNAME's classifier makes of a picture made here: "class N: P". */

#include <stdio.h>

#define JOIN(name, end) name##end
#define OF(name, end) JOIN(name, end)

int main(void) {
  unsigned char pixels[19 * 23 * 3];
  float probabilities[64];
  rootc_context context = {0};
  for (unsigned i = 0; i < sizeof pixels; ++i)
    pixels[i] = (unsigned char)(i * i / 7);
  if (OF(NAME, _classify)(pixels, 19, 23, 23 * 3, probabilities, &context)) {
    fprintf(stderr, "%s\n", context.error);
    return 1;
  }
  for (int i = 0; i < OF(NAME, _model)()->classes; ++i)
    printf("class %d: %.9g\n", i, probabilities[i]);
  return 0;
}
