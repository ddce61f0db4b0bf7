"""Delayed coupling over a sparse list of connections, many steps at a time.

A connection with a delay of SPAN steps or more takes what was sent long ago, so that its part in the next SPAN steps is
known now: one vector of SPAN consecutive steps of one simulation, added to a vector of sums. What a simulation sent
lies consecutive in time, in a ring of its own that a core's cache holds, and lanes with delays of their own cost no
more than shared ones. Shorter delays are added step by step, from what all lanes sent in the last SPAN steps.

Shapes (flat): edges by source; steps (LANES, n_edges) delays; past (LANES, n_nodes, SENDS, n_slots + SPAN), whose
end repeats its begin; recent (SPAN, n_nodes, SENDS, LANES); sums (LANES, n_nodes, SENDS, SPAN); delayed
(n_nodes, 1 + SPAN, SENDS, LANES), coupling of the steps after the last multiple of SPAN, that one first.
This module's text becomes part of every generated kernel with delays.
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
SENDS, LANES = 1, 32
"""What a node sends, and simulations in a batch; a generated kernel sets its own."""
U = np.uintp


@intrinsic
def add_window(typing_context, sums, at_sums, past, at_past, weight):
    """sums[at : at + SPAN] += weight * past[from : from + SPAN]."""
    signature = types.void(sums, at_sums, past, at_past, weight)

    def generate(context, builder, signature, args):
        def pointer(k, offset):
            data = context.make_array(signature.args[k])(context, builder, args[k]).data
            return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())

        i32, scalar = ir.IntType(32), context.get_value_type(signature.args[4])
        vector, align = ir.VectorType(scalar, SPAN), context.get_abi_sizeof(scalar)
        undefined, first = ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(i32, SPAN), [0] * SPAN)
        name = f"llvm.fma.v{SPAN}f{8 * align}"
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
        w = builder.shuffle_vector(builder.insert_element(undefined, args[4], ir.Constant(i32, 0)), undefined, first)
        to, values = pointer(0, args[1]), builder.load(pointer(2, args[3]), align=align)
        builder.store(builder.call(fma, [w, values, builder.load(to, align=align)]), to, align=align)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fma(typing_context, a, b, c):
    """a b + c, rounded once, in whatever lane: a contraction left to the compiler may differ between lanes."""

    def generate(context, builder, signature, args):
        return builder.fma(*args)

    return c(c, c, c), generate


@compiled
def add_long(step, edges, n_slots, past, sums):
    """Sums of delays from SPAN steps on, for the SPAN steps after `step`."""
    begins, target, _, weight, steps, _, _ = edges
    sums[:] = 0
    n_nodes, n_edges, length, now = begins.size - 1, target.size, n_slots + SPAN, step % n_slots
    for b in range(LANES):
        for j in range(n_nodes):
            row = (b * n_nodes + j) * SENDS * length
            for e in range(begins[j], begins[j + 1]):
                d = steps[U(b * n_edges + e)]
                if d >= SPAN:
                    at = row + now - d + (n_slots if d > now else 0)
                    to, w = (b * n_nodes + target[U(e)]) * SENDS * SPAN, weight[U(e)]
                    for s in range(SENDS):
                        add_window(sums, to + s * SPAN, past, at + s * length, w)


@compiled
def add_short(step, edges, recent, delayed):
    """Add delays below SPAN steps to the coupling of the step after `step`."""
    begins, target, origin, weight, _, short, short_steps = edges
    width, position = SENDS * LANES, step % SPAN + 1
    stride = (begins.size - 1) * width
    for k in range(short.size):
        e = short[k]
        to, at, w = (target[e] * (SPAN + 1) + position) * width, origin[e] * width, weight[e]
        for s in range(SENDS):
            for b in range(LANES):
                d = short_steps[U(k * LANES + b)]
                x = recent[U(((step + 1 - d) & (SPAN - 1)) * stride + at + s * LANES + b)]
                c = delayed[U(to + s * LANES + b)]
                delayed[U(to + s * LANES + b)] = fma(w, x, c) if d < SPAN else c


@compiled
def remember(step, n_slots, recent, past):
    """Move the last SPAN steps into the rings; the step t lies in slot t - 1."""
    first, series = (step - SPAN) % n_slots, recent.size // SPAN
    for row in range(series // LANES):
        for b in range(LANES):
            to = (b * (series // LANES) + row) * (n_slots + SPAN)
            for k in range(SPAN):
                value = recent[U((k + 1) % SPAN * series + row * LANES + b)]
                past[U(to + first + k)] = value
                if first == 0:
                    past[U(to + n_slots + k)] = value


@compiled
def arrange(n_nodes, n_rows, n_lanes, span, sums, delayed):
    """Sums in the order in which steps need them, after the coupling that was ready last.

    Sizes are arguments: a compiler that knows them unrolls these loops for seconds.
    """
    width = n_rows * n_lanes
    for i in range(n_nodes):
        row = i * (span + 1) * width
        delayed[row : row + width] = delayed[row + span * width : row + (span + 1) * width]
        for k in range(span):
            for s in range(n_rows):
                for b in range(n_lanes):
                    value = sums[U(((b * n_nodes + i) * n_rows + s) * span + k)]
                    delayed[U(row + (k + 1) * width + s * n_lanes + b)] = value


@compiled
def advance(step, edges, sizes, n_slots, recent, past, sums, sent, delayed):
    """Take in what is sent at `step`; have the delayed coupling of the next step ready."""
    recent[step % SPAN * sent.size : (step % SPAN + 1) * sent.size] = sent
    if step % SPAN == 0:
        remember(step, n_slots, recent, past)
        add_long(step, edges, n_slots, past, sums)
        arrange(*sizes, sums, delayed)
    add_short(step, edges, recent, delayed)


@compiled
def begin(edges, sizes, n_slots, recent, past, sums, sent, delayed):
    """A constant past: all that was ever sent is what is sent now."""
    for k in range(SPAN):
        recent[k * sent.size : (k + 1) * sent.size] = sent
    for step in range(-n_slots, 0, SPAN):
        remember(step, n_slots, recent, past)
    add_long(0, edges, n_slots, past, sums)
    arrange(*sizes, sums, delayed)
    add_short(-1, edges, recent, delayed)


@compiled
def couple(first, last, position, now, sent, delayed, scratch):
    """Coupling input of the nodes first to last: the delayed part, and over what is sent now."""
    begins, origin, weight = now
    width = SENDS * LANES
    for i in range(first, last):
        to, row = (i - first) * width, (i * (SPAN + 1) + position) * width
        for x in range(width):
            scratch[U(to + x)] = delayed[U(row + x)]
        for e in range(begins[i], begins[i + 1]):
            at, w = origin[e] * width, weight[e]
            for x in range(width):
                scratch[U(to + x)] = fma(w, sent[U(at + x)], scratch[U(to + x)])
