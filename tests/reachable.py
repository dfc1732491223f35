"""What can be reached from an error: attributes, causes, and the frames of its traceback."""

import io
import logging
import types


def texts(thing, seen, depth=0):
    """Yield every str and bytes that can be reached from a thing."""
    if (
        id(thing) in seen
        or depth > 12
        or isinstance(thing, (type, types.ModuleType, types.CodeType, logging.Logger))
    ):
        return
    seen[id(thing)] = thing
    if isinstance(thing, bytearray):
        thing = bytes(thing)
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, bytes):
        yield thing.decode("latin-1")
    elif isinstance(thing, BaseException):
        for each in (
            thing.args,
            vars(thing),
            thing.__cause__,
            thing.__context__,
            str(thing),
            repr(thing),
        ):
            yield from texts(each, seen, depth + 1)
        traceback = thing.__traceback__
        while traceback is not None:
            yield from frame_texts(traceback.tb_frame, seen, depth + 1)
            traceback = traceback.tb_next
    elif isinstance(thing, dict):
        for key, value in list(thing.items()):
            yield from texts(key, seen, depth + 1)
            yield from texts(value, seen, depth + 1)
    elif isinstance(thing, (list, tuple, set, frozenset)):
        for each in list(thing):
            yield from texts(each, seen, depth + 1)
    elif isinstance(thing, types.FunctionType):
        for cell in thing.__closure__ or ():
            yield from texts(cell.cell_contents, seen, depth + 1)
    elif isinstance(thing, io.BytesIO) and not thing.closed:
        yield thing.getvalue().decode("latin-1")
    else:
        yield from texts(getattr(thing, "__dict__", None), seen, depth + 1)
        for kind in type(thing).__mro__:
            for name in getattr(kind, "__slots__", ()):
                yield from texts(getattr(thing, name, None), seen, depth + 1)


def frame_texts(frame, seen, depth):
    """Yield what the locals of a frame hold, except those of tests."""
    if "/tests/" in frame.f_code.co_filename or "pytest" in frame.f_code.co_filename:
        return
    for value in list(frame.f_locals.values()):
        yield from texts(value, seen, depth)
