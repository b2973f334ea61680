"""Cases of one operator at one version and for one choice of its types."""

import dataclasses
import functools

import numpy as np
import onnx
from onnx import TypeProto, helper, numpy_helper

from values import dtype_of, element_of, element_of_dtype, make, rng_of, tensor_proto

OLDEST, NEWEST = 7, 28


@dataclasses.dataclass
class Case:
    """A node with its inputs (None: omitted) and whatever is known beforehand of its outputs.

    outputs  how many, or a list in which "" is an output that nobody wants
    expect   the outputs by hand, where no other implementation has the version or type, or where they are wrong
    check    instead of expected outputs, for random ones: called with inputs and outputs, returns what is wrong
    constant indices of inputs that are initializers rather than graph inputs
    sums     results are sums: tolerances grow with the largest term
    through  a type that results have on the way to their own, and so how close a model of other operators comes
    bodies   subgraphs by attribute name; captures: outer values that they use, by name
    """

    inputs: list
    attributes: dict = dataclasses.field(default_factory=dict)
    outputs: int | list = 1
    name: str = ""
    expect: list | None = None
    check: object = None
    constant: tuple = ()
    sums: bool = False
    through: np.dtype | None = None
    captures: dict = dataclasses.field(default_factory=dict)
    output_types: list | None = None
    optional_inputs: tuple = ()  # indices of inputs whose declared type is optional(...)
    opset: int | None = None


class Versioned:
    """One (operator, version) with a type for each of its type variables."""

    def __init__(self, schema, types):
        self.schema, self.types = schema, types
        self.op, self.domain = schema.name, schema.domain
        self.version = schema.since_version
        self.opset = max(self.version, OLDEST) if not self.domain else self.version
        self.rng = rng_of(self.op, self.version, sorted(types.items()))
        self.has = {a for a in schema.attributes}

    def type_of(self, i):
        """The type string of input i."""
        formal = self.schema.inputs[min(i, len(self.schema.inputs) - 1)]
        return self.types.get(formal.type_str, formal.type_str)

    def dtype(self, i=0):
        return dtype_of(element_of(self.type_of(i)))

    def arr(self, i, shape, low=-4, high=4):
        """Random elements of the type of input i."""
        return make(self.rng, self.dtype(i), shape, low, high)

    def distinct(self, i, shape, low=-8):
        """Elements of the type of input i that all differ, shuffled (as far as the type has so many)."""
        count = int(np.prod(shape))
        dtype = self.dtype(i)
        if dtype.kind == "b":
            return self.arr(i, shape)
        start = 0 if dtype.kind == "u" or dtype.name.startswith("uint") else low
        return self.rng.permutation(np.arange(start, start + count)).reshape(shape).astype(dtype)

    def the(self, i, values):
        """These elements in the type of input i."""
        return np.array(values).astype(self.dtype(i))

    def out_dtype(self, i=0):
        formal = self.schema.outputs[min(i, len(self.schema.outputs) - 1)]
        return dtype_of(element_of(self.types.get(formal.type_str, formal.type_str)))


CATALOG = {}


def cases(*names, product=False):
    """Registers a generator of cases for operators named "Relu Abs" or "ai.onnx.ml.Scaler"."""

    def register(function):
        function.product = product
        for name in " ".join(names).split():
            assert name not in CATALOG, name
            CATALOG[name] = function
        return function

    return register


def qualified(schema):
    return f"{schema.domain}.{schema.name}" if schema.domain else schema.name


# The first choice for a type variable that is not the one under test.
PREFERRED = [
    "tensor(float)",
    "tensor(int64)",
    "tensor(uint8)",
    "tensor(int8)",
    "tensor(int32)",
    "tensor(bool)",
    "seq(tensor(float))",
    "optional(tensor(float))",
]


def assignments(schema, product=False):
    """Choices of types in which each type variable takes each of its types once; with `product`, all of them."""
    used = {p.type_str for p in [*schema.inputs, *schema.outputs]}
    variables = {c.type_param_str: sorted(c.allowed_type_strs) for c in schema.type_constraints}
    variables = {name: types for name, types in variables.items() if name in used}
    usual = {
        name: next((t for t in PREFERRED if t in types), types[0]) for name, types in variables.items()
    }
    if product:
        choices = [{}]
        for name, types in variables.items():
            choices = [{**choice, name: t} for choice in choices for t in types]
        return choices
    found = [usual]
    for name, types in variables.items():
        found += [{**usual, name: t} for t in types if t != usual[name]]
    return found


@functools.cache
def all_schemas():
    """Schema of each (operator, version) that is in force at some opset from 7 on, or in another domain."""
    found = []
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and not schema.deprecated:
            later = [
                s.since_version
                for s in history(schema.name)
                if s.since_version > schema.since_version
            ]
            if later and min(later) <= OLDEST:
                continue
        if not schema.deprecated:
            found.append(schema)
    return sorted(found, key=lambda s: (s.domain, s.name, s.since_version))


@functools.cache
def history(name):
    """The schemas of an operator of ai.onnx, of all versions."""
    return [
        s for s in onnx.defs.get_all_schemas_with_history() if s.name == name and s.domain == ""
    ]


def type_proto(value, optional=False, dims=None):
    """The declared type of a value, or of the type that an empty optional would hold; `dims` replaces its dimensions."""
    if isinstance(value, TypeProto):
        proto = value
    elif isinstance(value, list):
        inner = helper.make_tensor_type_proto(element_of_dtype(value[0].dtype), None)
        proto = helper.make_sequence_type_proto(inner)
    elif isinstance(value, dict):
        key, item = next(iter(value.items()))
        key_type = onnx.TensorProto.STRING if isinstance(key, str) else onnx.TensorProto.INT64
        inner = helper.make_tensor_type_proto(element_of_dtype(np.asarray(item).dtype), [])
        proto = helper.make_map_type_proto(key_type, inner)
    else:
        value = np.asarray(value)
        proto = helper.make_tensor_type_proto(
            element_of_dtype(value.dtype), list(value.shape) if dims is None else dims
        )
    return helper.make_optional_type_proto(proto) if optional else proto


def ir_version(opset):
    """The one that onnx pairs with an opset of ai.onnx, but not below 4, where initializers had to be inputs."""
    return max(4, helper.find_min_ir_version_for([helper.make_opsetid("", opset)], True))


def output_names(case):
    return [f"y{i}" for i in range(case.outputs)] if isinstance(case.outputs, int) else case.outputs


def build(versioned, case, dims_of=None, cast=lambda value: value):
    """The model with that one node. `dims_of(i, value)` gives other dimensions for the inputs' declarations."""
    opset = case.opset or versioned.opset
    names = [None if v is None else f"x{i}" for i, v in enumerate(case.inputs)]
    node = helper.make_node(
        versioned.op,
        [n or "" for n in names],
        output_names(case),
        name="node",
        domain=versioned.domain,
        **{k: v for k, v in case.attributes.items() if v is not None},
    )
    inputs, initializers = [], []
    given = [*zip(names, case.inputs, strict=True), *case.captures.items()]
    for i, (name, value) in enumerate(given):
        if name is None:
            continue
        value = cast(value)
        if i in case.constant:
            initializers.append(tensor_proto(value, name))
            continue
        dims = dims_of(i, value) if dims_of and not isinstance(value, (list, dict, TypeProto)) else None
        inputs.append(helper.make_value_info(name, type_proto(value, i in case.optional_inputs, dims)))
    graph = helper.make_graph(
        [node],
        "case",
        inputs,
        [helper.make_value_info(n, TypeProto()) for n in output_names(case) if n],
        initializers,
    )
    opsets = [helper.make_opsetid("", opset if not versioned.domain else 21)]
    if versioned.domain:
        opsets.append(helper.make_opsetid(versioned.domain, opset))
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version(opsets[0].version))


def feeds(case):
    """Values of the graph inputs by name, and in order."""
    names = [f"x{i}" for i in range(len(case.inputs))]
    given = [*zip(names, case.inputs, strict=True), *case.captures.items()]
    return {
        n: (None if isinstance(v, TypeProto) else v)
        for i, (n, v) in enumerate(given)
        if v is not None and i not in case.constant
    }


def scalar_attribute(name, value):
    return helper.make_attribute(name, numpy_helper.from_array(np.asarray(value)))


def ints(*values):
    return np.array(values, dtype=np.int64)


def axes_case(v, x, axes, since, **options):
    """A case of an operator whose axes became an input at opset `since`; axes None: omitted."""
    attributes = options.pop("attributes", {})
    if v.version >= since:
        inputs = [x] + ([ints(*axes)] if axes is not None else [])
        for constant in [(1,), ()] if axes is not None else [()]:
            yield Case(inputs, attributes, constant=constant, **options)
    else:
        axes = None if axes is None else list(axes)
        yield Case([x], {**attributes, "axes": axes}, **options)
