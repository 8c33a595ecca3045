"""The root topology, for the oracle: groups of spatial convolutions by stage."""


def apply_root(network, groups):
    """Splits the ungrouped spatial convolutions into max(1, groups >> stage), stage 0 nearest the image."""
    sizes, behind = {network.argument: network.image[:2]}, {network.argument: False}
    spatial = []
    for layer in network.layers:
        height, width = sizes[layer.operands[0]]
        c = layer.clauses
        after = any(behind[operand] for operand in layer.operands)
        if layer.op in ('conv2d', 'max_pool', 'average_pool'):
            size = []
            for axis, extent in enumerate((height, width)):
                dilation = c['dilation'][axis] if layer.op == 'conv2d' else 1
                room = extent + c['pad'][axis] + c['pad'][axis + 2] - (c['kernel'][axis] - 1) * dilation - 1
                steps = -(-room // c['stride'][axis]) if c.get('rounding') == 'ceil' else room // c['stride'][axis]
                if steps * c['stride'][axis] >= extent + c['pad'][axis]:
                    steps -= 1
                size.append(steps + 1)
            if layer.op == 'conv2d' and max(c['kernel']) > 1 and after:
                spatial.append((layer, tuple(size)))
        elif layer.op in ('linear', 'global_average_pool'):
            size = [1, 1]
        else:
            size = [height, width]
        if layer.result:
            sizes[layer.result] = tuple(size)
            behind[layer.result] = after or layer.op == 'conv2d'
    stages = list(dict.fromkeys(size for _, size in spatial))
    for layer, size in spatial:
        stage = layer.clauses['stage'] if layer.clauses['stage'] >= 0 else stages.index(size)
        if layer.clauses['groups'] == 1 and not layer.clauses['ungrouped']:
            layer.clauses['groups'] = max(1, groups >> stage)
