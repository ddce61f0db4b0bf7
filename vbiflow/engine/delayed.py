"""Delayed coupling over a sparse list of connections, many steps at a time.

A connection with a delay of SPAN steps or more takes what was sent long ago, so that its part in the next SPAN steps is
known now: one vector of SPAN consecutive steps of one simulation. What a simulation sent lies consecutive in time, so
that lanes with delays of their own cost no more than shared ones. Connections come in groups of SOURCES sources, whose
past a core's first cache holds, and in a group by target, whose sums stay in registers; the past of the next group is
fetched meanwhile. Shorter delays are added step by step, from what all lanes sent in the last SPAN steps.

Shapes (flat): begins (n_groups, n_nodes) into the connections; positions (LANES, n_edges), where in `past` a connection
reads, less the place of the present; past (LANES, n_nodes, SENDS, length), and a row of zeros, which short delays read;
recent (SPAN, n_nodes, SENDS, LANES); sums (LANES, n_nodes, SENDS, SPAN); delayed (1 + SPAN, n_nodes, SENDS, LANES),
coupling of the steps after the last multiple of SPAN, that one first.
Generated kernels with delays import a copy of this module's text with their sizes.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vbiflow.engine.float32 import FLAGS

compiled = njit(nogil=True, fastmath=FLAGS, error_model="numpy")

SPAN = 16
"""Steps in a vector."""
SOURCES, AHEAD = 8, 512
"""Sources in a group, and connections between one that is fetched and one that is added."""
SENDS, LANES = 1, 32
"""What a node sends, and simulations in a batch; a generated kernel sets its own."""
U = np.uintp


@intrinsic
def add_windows(typing_context, sums, at_sums, weights, positions, at_positions, first, last, past, now, length):
    """sums[s, :] += sum_e weights[e] past[positions[e] + now + s length + (0, ..., SPAN - 1)], for edges first to last
    and every s below SENDS.

    Parameters
    ----------
    typing_context : numba's own.
    sums, at_sums : (SENDS, SPAN) numbers of one target, from an offset on.
    weights : of the edges.
    positions, at_positions : where in `past` each edge begins, from an offset on.
    first, last : the edges of the target.
    past : what nodes sent, a row for each kind.
    now : the step.
    length : of a row of `past`.
    """
    signature = types.void(sums, at_sums, weights, positions, at_positions, first, last, past, now, length)

    def generate(context, builder, signature, args):
        def pointer(k, *offsets):
            data = context.make_array(signature.args[k])(context, builder, args[k]).data
            for offset in offsets:
                data = builder.gep(data, [offset])
            return data

        def rows(position):
            at = builder.sext(builder.load(position, align=4), i64)
            return [builder.gep(present, [builder.add(at, builder.mul(args[9], i64(s)))]) for s in range(SENDS)]

        i8, i32, i64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
        scalar = context.get_value_type(signature.args[0].dtype)
        vector, align = ir.VectorType(scalar, SPAN), context.get_abi_sizeof(scalar)
        undefined, lane = ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(i32, SPAN), [0] * SPAN)
        fma = ir.FunctionType(vector, [vector] * 3)
        fma = cgutils.get_or_insert_function(builder.module, fma, f"llvm.fma.v{SPAN}f{8 * align}")
        fetch = ir.FunctionType(ir.VoidType(), [i8.as_pointer(), i32, i32, i32])
        fetch = cgutils.get_or_insert_function(builder.module, fetch, "llvm.prefetch.p0")
        to = [builder.bitcast(pointer(0, args[1], i64(s * SPAN)), vector.as_pointer()) for s in range(SENDS)]
        totals = [cgutils.alloca_once(builder, vector) for _ in to]
        for total, place in zip(totals, to, strict=True):
            builder.store(builder.load(place, align=align), total)
        present = pointer(7, args[8])
        with cgutils.for_range_slice(builder, args[5], args[6], i64(1)) as (e, _):
            for row in rows(pointer(3, args[4], e, i64(AHEAD))):
                builder.call(fetch, [builder.bitcast(row, i8.as_pointer()), i32(0), i32(3), i32(1)])
            w = builder.insert_element(undefined, builder.load(pointer(2, e), align=align), i32(0))
            w = builder.shuffle_vector(w, undefined, lane)
            for total, row in zip(totals, rows(pointer(3, args[4], e)), strict=True):
                values = builder.load(builder.bitcast(row, vector.as_pointer()), align=align)
                builder.store(builder.call(fma, [w, values, builder.load(total)]), total)
        for total, place in zip(totals, to, strict=True):
            builder.store(builder.load(total), place, align=align)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fma(typing_context, a, b, c):
    """a b + c, rounded once, in whatever lane: a contraction left to the compiler may differ between lanes."""

    def generate(context, builder, signature, args):
        return builder.fma(*args)

    return c(c, c, c), generate


@compiled
def copy(values, first, to, at, n):
    """to[at : at + n] = values[first : first + n]."""
    for x in range(n):
        to[U(at + x)] = values[U(first + x)]


@compiled
def add_long(now, begins, weight, positions, past, length, sums):
    """Sums of delays from SPAN steps on, for SPAN steps, of which the first is at `now`.

    Parameters
    ----------
    now : the first of the SPAN steps.
    begins : the first edge (n_nodes + 1,) of each target.
    weight, positions : of the edges.
    past : what nodes sent, a row for each kind.
    length : of a row.
    sums : what is added to, (n_nodes, SENDS, SPAN).
    """
    sums[:] = 0
    n_edges, size = weight.size, sums.size // LANES
    for b in range(LANES):
        for group in range(begins.shape[0]):
            for i in range(begins.shape[1] - 1):
                first, last, to = begins[group, i], begins[group, i + 1], b * size + i * SENDS * SPAN
                add_windows(sums, to, weight, positions, b * n_edges, first, last, past, now, length)


@compiled
def add_short(step, n_sends, n_lanes, short, recent, delayed):
    """Add delays below SPAN steps to the coupling of the step after `step`."""
    target, source, weight, shared, steps = short
    width, stride = n_sends * n_lanes, recent.size // SPAN
    present = (step % SPAN + 1) * stride
    for e in range(target.size):
        to, at, w = present + target[e] * width, source[e] * width, weight[e]
        if shared[e]:
            at += ((step + 1 - steps[e, 0]) & (SPAN - 1)) * stride
            for x in range(width):
                delayed[U(to + x)] = fma(w, recent[U(at + x)], delayed[U(to + x)])
        else:
            for b in range(n_lanes):
                d = steps[e, b]
                row = ((step + 1 - d) & (SPAN - 1)) * stride + at + b
                for s in range(n_sends):
                    c = delayed[U(to + s * n_lanes + b)]
                    delayed[U(to + s * n_lanes + b)] = fma(w, recent[U(row + s * n_lanes)], c) if d < SPAN else c


@compiled
def remember(now, n_lanes, recent, past, length):
    """Move the last SPAN steps to their place before `now`."""
    series = recent.size // SPAN
    n_rows = series // n_lanes
    for row in range(n_rows):
        for b in range(n_lanes):
            to = (b * n_rows + row) * length + now - SPAN
            for k in range(SPAN):
                past[U(to + k)] = recent[U((k + 1) % SPAN * series + row * n_lanes + b)]


@compiled
def shift(past, length, room):
    """Make room for `room` more steps at the end of every row."""
    for row in range(0, past.size, length):
        copy(past, row + room, past, row, length - room)


@compiled
def arrange(n_rows, n_lanes, sums, delayed):
    """Sums in the order in which steps need them, after the coupling that was ready last."""
    width = n_rows * n_lanes
    span = sums.size // width
    copy(delayed, span * width, delayed, 0, width)
    for i in range(n_rows):
        for k in range(span):
            for b in range(n_lanes):
                delayed[U((k + 1) * width + i * n_lanes + b)] = sums[U((b * n_rows + i) * span + k)]


@compiled
def fill(n_lanes, sent, length, recent, past):
    """A constant past: all that was ever sent is what is sent now."""
    n_rows = sent.size // n_lanes
    for k in range(SPAN):
        copy(sent, 0, recent, k * sent.size, sent.size)
    for row in range(n_rows):
        for b in range(n_lanes):
            for x in range(length):
                past[U((b * n_rows + row) * length + x)] = sent[U(row * n_lanes + b)]


@compiled
def advance(step, edges, short, sizes, recent, past, sums, sent, delayed):
    """Take in what is sent at `step`; have the delayed coupling of the next step ready.

    Sizes are arguments: a compiler that knows them unrolls loops for seconds.

    Parameters
    ----------
    step : number of the step.
    edges, short : edges of delays from SPAN steps on, and of shorter ones: begins, weights, positions.
    sizes : of the arrays below: slots, room, row length, kinds sent, lanes.
    recent, past : what was sent in the last steps, and before.
    sums : coupling of the steps to come.
    sent : what is sent now.
    delayed : where the coupling of the next step goes.
    """
    n_slots, room, length, n_sends, n_lanes = sizes
    copy(sent, 0, recent, step % SPAN * sent.size, sent.size)
    if step % SPAN == 0:
        if step % room == 0:
            shift(past, length, room)
        now = n_slots + step % room
        remember(now, n_lanes, recent, past, length)
        add_long(now, *edges, past, length, sums)
        arrange(sent.size // n_lanes, n_lanes, sums, delayed)
    add_short(step, n_sends, n_lanes, short, recent, delayed)


@compiled
def couple(first, last, position, sizes, now, sent, delayed, scratch):
    """Coupling input of the nodes first to last: the delayed part, and over what is sent now.

    Parameters
    ----------
    first, last : the nodes.
    position : of the nodes in `delayed`.
    sizes : as in `advance`.
    now : edges without delay.
    sent : what nodes send now.
    delayed : the delayed part.
    scratch : where the sum goes.
    """
    begins, source, weight = now
    width = sizes[3] * sizes[4]
    copy(delayed, (position * (begins.size - 1) + first) * width, scratch, 0, (last - first) * width)
    for i in range(first, last):
        to = (i - first) * width
        for e in range(begins[i], begins[i + 1]):
            at, w = source[e] * width, weight[e]
            for x in range(width):
                scratch[U(to + x)] = fma(w, sent[U(at + x)], scratch[U(to + x)])
