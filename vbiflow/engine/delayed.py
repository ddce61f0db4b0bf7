"""Delayed coupling over a sparse list of connections, many steps at a time.

A connection with a delay of SPAN steps or more takes what was sent long ago, so that its part in the next SPAN steps is
known now: one vector of SPAN consecutive steps of one simulation, added to a vector of sums. What a simulation sent
lies consecutive in time, in a ring of its own that a core's cache holds, and lanes with delays of their own cost no
more than shared ones. Shorter delays are added step by step, from what all lanes sent in the last SPAN steps.

Shapes (flat): edges by source; steps (n_lanes, n_edges) delays; past (n_lanes, n_nodes, n_sends, n_slots + SPAN), whose
end repeats its begin; recent (SPAN, n_nodes, n_sends, n_lanes); sums (n_lanes, n_nodes, n_sends, SPAN); delayed
(n_nodes, 1 + SPAN, n_sends, n_lanes), coupling of the steps after the last multiple of SPAN, that one first.
This module's text becomes part of every generated kernel with delays.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vbiflow.engine.float32 import FLAGS

SPAN = 16
"""Steps in a vector."""


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


@njit(nogil=True)
def add_long(step, begins, target, weight, steps, n_nodes, n_sends, n_lanes, n_slots, past, sums):
    """Sums of delays from SPAN steps on, for the SPAN steps after `step`."""
    sums[:] = 0
    n_edges, length = target.size, n_slots + SPAN
    for b in range(n_lanes):
        for j in range(n_nodes):
            row = (b * n_nodes + j) * n_sends
            for e in range(begins[j], begins[j + 1]):
                d = steps[b * n_edges + e]
                if d < SPAN:
                    continue
                at = step % n_slots - d
                at = at + n_slots if at < 0 else at
                to = (b * n_nodes + target[e]) * n_sends
                for s in range(n_sends):
                    add_window(sums, (to + s) * SPAN, past, (row + s) * length + at, weight[e])


@njit(nogil=True, fastmath=FLAGS, error_model="numpy")
def add_short(step, short, short_steps, target, origin, weight, n_nodes, n_sends, n_lanes, recent, delayed):
    """Add delays below SPAN steps to the coupling of the step after `step`."""
    width = n_sends * n_lanes
    position = step % SPAN + 1
    for k in range(short.size):
        e = short[k]
        to, at, w = (target[e] * (SPAN + 1) + position) * width, origin[e] * width, weight[e]
        for s in range(n_sends):
            for b in range(n_lanes):
                d = short_steps[k * n_lanes + b]
                x = recent[((step + 1 - d) % SPAN) * n_nodes * width + at + s * n_lanes + b]
                c = delayed[to + s * n_lanes + b]
                delayed[to + s * n_lanes + b] = c + w * x if d < SPAN else c


@njit(nogil=True)
def advance(step, edges, shape, recent, past, sums, sent, delayed):
    """Take in what is sent at `step`; have the delayed coupling of the next step ready."""
    begins, target, origin, weight, steps, short, short_steps = edges
    n_nodes, n_sends, n_lanes, n_slots = shape
    width = n_sends * n_lanes
    recent[step % SPAN * n_nodes * width : (step % SPAN + 1) * n_nodes * width] = sent
    if step % SPAN == 0:
        remember(step, n_nodes, n_sends, n_lanes, n_slots, recent, past)
        add_long(step, begins, target, weight, steps, n_nodes, n_sends, n_lanes, n_slots, past, sums)
        for i in range(n_nodes):
            row = i * (SPAN + 1) * width
            delayed[row : row + width] = delayed[row + SPAN * width : row + (SPAN + 1) * width]
            for k in range(SPAN):
                for s in range(n_sends):
                    for b in range(n_lanes):
                        value = sums[((b * n_nodes + i) * n_sends + s) * SPAN + k]
                        delayed[row + (k + 1) * width + s * n_lanes + b] = value
    add_short(step, short, short_steps, target, origin, weight, n_nodes, n_sends, n_lanes, recent, delayed)


@njit(nogil=True)
def remember(step, n_nodes, n_sends, n_lanes, n_slots, recent, past):
    """Move the last SPAN steps into the rings; the step t lies in slot t - 1."""
    width, begin = n_sends * n_lanes, (step - SPAN) % n_slots
    for j in range(n_nodes):
        for s in range(n_sends):
            for b in range(n_lanes):
                row = ((b * n_nodes + j) * n_sends + s) * (n_slots + SPAN)
                for k in range(SPAN):
                    value = recent[((k + 1) % SPAN * n_nodes + j) * width + s * n_lanes + b]
                    past[row + begin + k] = value
                    if begin == 0:
                        past[row + n_slots + k] = value


@njit(nogil=True)
def begin(edges, shape, recent, past, sums, sent, delayed):
    """A constant past: all that was ever sent is what is sent now."""
    n_nodes, n_sends, n_lanes, n_slots = shape
    for k in range(SPAN):
        recent[k * sent.size : (k + 1) * sent.size] = sent
    for step in range(-n_slots, 0, SPAN):
        remember(step, n_nodes, n_sends, n_lanes, n_slots, recent, past)
    for step in range(-SPAN, 0):
        advance(step, edges, shape, recent, past, sums, sent, delayed)


@njit(nogil=True, fastmath=FLAGS, error_model="numpy")
def couple(first, last, position, now, sent, delayed, scratch, width):
    """Coupling input of the nodes first to last: the delayed part, and over what is sent now."""
    begins, origin, weight = now
    for i in range(first, last):
        to, row = (i - first) * width, (i * (SPAN + 1) + position) * width
        for x in range(width):
            scratch[to + x] = delayed[row + x]
        for e in range(begins[i], begins[i + 1]):
            at, w = origin[e] * width, weight[e]
            for x in range(width):
                scratch[to + x] += w * sent[at + x]
