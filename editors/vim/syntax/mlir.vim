" The words of rootc's networks, on top of what the editor knows of MLIR.
syntax match rootcLayer /\<root\.\(adaptive_average_pool\|add\|auxiliary\|average_pool\|batch_norm\|branch_softmax\|channel_max\|channel_mean\|channel_shuffle\|clip\|concat\|conv2d\|conv2d_transpose\|depth_to_space\|drop_path\|dropout\|elu\|gelu\|global_average_pool\|group_norm\|hard_sigmoid\|hard_swish\|layer_norm\|layer_scale\|leaky_relu\|linear\|local_response_norm\|max_pool\|mish\|multiply\|network\|output\|pad\|prelu\|relu\|resize\|sigmoid\|silu\|slice_channels\|softplus\|space_to_depth\)\>/
syntax keyword rootcClause alpha begin beta block branches classes coordinates crd crop dilation end epsilon
syntax keyword rootcClause exclude_pad filters groups input_scale k kernel max min mode momentum no_bias
syntax keyword rootcClause output_pad outputs pad rate reflect round rounding scale shaped shared size stage
syntax keyword rootcClause standardize stride tanh ungrouped weight
syntax keyword rootcWord align_corners asymmetric bilinear ceil floor half_pixel nearest pytorch_half_pixel
syntax keyword rootcWord round_prefer_ceil round_prefer_floor
syntax match rootcSize /\<\d\+\(x\d\+\)\+\>/
syntax match rootcValue /%[[:alnum:]_$.-]\+/
syntax match rootcSymbol /@[[:alnum:]_$.-]\+/
syntax region rootcString start=/"/ skip=/\\"/ end=/"/ oneline
syntax match rootcComment +//.*$+ contains=@Spell

highlight default link rootcLayer Function
highlight default link rootcClause Keyword
highlight default link rootcWord Constant
highlight default link rootcSize Number
highlight default link rootcValue Identifier
highlight default link rootcSymbol Title
highlight default link rootcString String
highlight default link rootcComment Comment
