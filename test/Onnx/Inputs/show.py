"""Prints an ONNX file as lines that FileCheck can match: show.py FILE."""

import sys

import onnx

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
graph = model.graph
print('graph', graph.name, 'opset', model.opset_import[0].version, 'ir', model.ir_version, 'by', model.producer_name)
for kind, values in ('input', graph.input), ('output', graph.output), ('value', graph.value_info):
    for value in values:
        sizes = (size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim)
        print(kind, value.name, *sizes)
for tensor in graph.initializer:
    print('tensor', tensor.name, *tensor.dims)
for node in graph.node:
    attributes = (f'{a.name}={onnx.helper.get_attribute_value(a)}' for a in sorted(node.attribute, key=lambda a: a.name))
    print('node', node.name, node.op_type, ' '.join(node.input), '->', *node.output, *attributes)
for entry in model.metadata_props:
    print('metadata', entry.key, entry.value)
