#!/usr/bin/env python3
"""Prints the text that recorded key events give with a keyboard layout, as a desktop program would read it.

evdev_text.py LAYOUT EVENTFILE

LAYOUT is a layout of XKB, such as "us", "de(nodeadkeys)" or "de:nodeadkeys". EVENTFILE holds what was read from
/dev/input/eventN: the events of a 64-bit kernel. The text goes to standard output in UTF-8 with nothing after it;
libxkbcommon says what the keys mean, and dead keys are composed by the list of the locale C.UTF-8 or en_US.UTF-8 (of
libx11-data). Without such a list, which standard error then says, Unicode's composition takes its place.

The exit status is 1, with a message, when the events are not those of whole key strokes: a key pressed twice, released
without having been pressed, or still held at the end; events lost; half an event; a key that gives nothing; a dead
key with nothing after it that it goes with. A key that repeats gives its character again.
"""

import ctypes
import re
import struct
import sys
import unicodedata

# struct input_event of <linux/input.h> in 64 bits: the time in seconds and microseconds, type, code, value.
EVENT = struct.Struct("<qqHHi")
EV_SYN, EV_KEY = 0, 1
SYN_DROPPED = 3
RELEASED, PRESSED, REPEATED = 0, 1, 2

NO_ENVIRONMENT_NAMES = 1 << 1
CRITICAL = 10
KEY_UP, KEY_DOWN = 0, 1
COMPOSING, COMPOSED, CANCELLED = 1, 2, 3
# Keys that give no text, by their keysyms: modifiers and locks (XKB_KEY_Shift_L ... XKB_KEY_Hyper_R), those of
# ISO 9995 (XKB_KEY_ISO_Lock ... XKB_KEY_ISO_Last_Group_Lock), Mode_switch and Num_Lock.
SILENT = (range(0xFFE1, 0xFFEF), range(0xFE01, 0xFE14), (0xFF7E, 0xFF7F))

# For hosts without a list: dead keys from XKB_KEY_dead_grave (0xFE50) on, as combining characters.
MARKS = dict(
    zip(
        (0xFE50, 0xFE51, 0xFE52, 0xFE53, 0xFE54, 0xFE55, 0xFE56, 0xFE57, 0xFE58, 0xFE59, 0xFE5A, 0xFE5B, 0xFE5C,
         0xFE60, 0xFE61, 0xFE62),
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327\u0328\u0323\u0309\u031b",
    )
)
WITH_SPACE = dict(zip(MARKS.values(), "`'^~¯˘˙\"°˝ˇ¸˛"))
TWICE = {**WITH_SPACE, "\u0301": "´", "\u0308": "¨"}


class Inconsistent(Exception):
    """The events are not those of whole key strokes."""


class RuleNames(ctypes.Structure):
    """struct xkb_rule_names."""

    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


def library():
    """libxkbcommon, with the types of what is called here: (result, arguments) of each."""
    pointer, number, text, size = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t
    lib = ctypes.CDLL("libxkbcommon.so.0")
    for name, result, arguments in (
        ("context_new", pointer, [ctypes.c_int]),
        ("context_set_log_level", None, [pointer, ctypes.c_int]),
        ("keymap_new_from_names", pointer, [pointer, ctypes.POINTER(RuleNames), ctypes.c_int]),
        ("state_new", pointer, [pointer]),
        ("state_update_key", ctypes.c_int, [pointer, number, ctypes.c_int]),
        ("state_key_get_one_sym", number, [pointer, number]),
        ("state_key_get_utf8", ctypes.c_int, [pointer, number, text, size]),
        ("compose_table_new_from_locale", pointer, [pointer, text, ctypes.c_int]),
        ("compose_state_new", pointer, [pointer, ctypes.c_int]),
        ("compose_state_feed", ctypes.c_int, [pointer, number]),
        ("compose_state_get_status", ctypes.c_int, [pointer]),
        ("compose_state_get_utf8", ctypes.c_int, [pointer, text, size]),
        ("compose_state_reset", None, [pointer]),
    ):
        function = getattr(lib, "xkb_" + name)
        function.restype, function.argtypes = result, arguments
    return lib


def filled(function, *arguments):
    """The text that a function of libxkbcommon writes into a buffer."""
    buffer = ctypes.create_string_buffer(64)
    function(*arguments, buffer, len(buffer))
    return buffer.value.decode()


class ListedSequences:
    """What libxkbcommon makes of dead keys by a locale's list."""

    def __init__(self, lib, table):
        self.lib, self.state = lib, lib.xkb_compose_state_new(table, 0)

    def feed(self, keysym, text):
        """The text that a key gives after those before it; nothing while it is part of a sequence."""
        self.lib.xkb_compose_state_feed(self.state, keysym)
        status = self.lib.xkb_compose_state_get_status(self.state)
        if status == CANCELLED:
            raise Inconsistent(f"a dead key was followed by keysym {keysym:#x}, which it does not go with")
        if status == COMPOSED:
            text = filled(self.lib.xkb_compose_state_get_utf8, self.state)
            self.lib.xkb_compose_state_reset(self.state)
        return "" if status == COMPOSING else text

    def is_pending(self):
        return self.lib.xkb_compose_state_get_status(self.state) == COMPOSING


class ComposedByUnicode:
    """What Unicode composes of a letter and accents, where there is no list."""

    def __init__(self):
        self.marks = []

    def feed(self, keysym, text):
        """As that of ListedSequences."""
        mark = MARKS.get(keysym)
        if mark and self.marks != [mark]:
            self.marks.append(mark)
            return ""
        marks, self.marks = self.marks, []
        if not marks:
            return text
        if mark or text == " ":
            composed = (TWICE if mark else WITH_SPACE).get(marks[0]) if len(marks) == 1 else None
        else:
            # The last dead key is the accent next to the letter.
            composed = unicodedata.normalize("NFC", text + "".join(reversed(marks)))
        if composed is None or len(composed) != 1:
            raise Inconsistent(f"a dead key was followed by {text!r}, which it does not go with")
        return composed

    def is_pending(self):
        return bool(self.marks)


class Decoder:
    """A host's side of a keyboard: the layout, the modifiers, and the dead keys."""

    def __init__(self, layout):
        name = re.fullmatch(r"([\w-]+)(?:\(([\w-]+)\)|:([\w-]+))?", layout, re.ASCII)
        if not name:
            sys.exit(f"evdev_text.py: {layout!r} is no name of a keyboard layout")
        self.lib = library()
        context = self.lib.xkb_context_new(NO_ENVIRONMENT_NAMES)
        self.lib.xkb_context_set_log_level(context, CRITICAL)
        base = "gb" if name[1] == "uk" else name[1]
        names = RuleNames(b"evdev", b"pc105", base.encode(), (name[2] or name[3] or "").encode(), b"")
        keymap = self.lib.xkb_keymap_new_from_names(context, ctypes.byref(names), 0)
        if not keymap:
            sys.exit(f"evdev_text.py: there is no keyboard layout {layout}, or xkb-data is not installed")
        self.state = self.lib.xkb_state_new(keymap)
        tables = (self.lib.xkb_compose_table_new_from_locale(context, name, 0) for name in (b"C.UTF-8", b"en_US.UTF-8"))
        table = next(filter(None, tables), None)
        self.sequences = ListedSequences(self.lib, table) if table else ComposedByUnicode()
        if not table:
            print("evdev_text.py: no list of dead key sequences here; Unicode composes them", file=sys.stderr)

    def text(self, code, is_repeat):
        """The text that a key gives when it goes down, or repeats."""
        key = code + 8
        if not is_repeat:
            self.lib.xkb_state_update_key(self.state, key, KEY_DOWN)
        keysym = self.lib.xkb_state_key_get_one_sym(self.state, key)
        if any(keysym in keysyms for keysyms in SILENT):
            return ""
        text = self.sequences.feed(keysym, filled(self.lib.xkb_state_key_get_utf8, self.state, key))
        if not text and not self.sequences.is_pending():
            raise Inconsistent(f"key {code} gave keysym {keysym:#x}, which is no text")
        return "\n" if text == "\r" else text

    def release(self, code):
        self.lib.xkb_state_update_key(self.state, code + 8, KEY_UP)


def decode(layout, data):
    """The text of a recording, or Inconsistent."""
    decoder = Decoder(layout)
    if len(data) % EVENT.size:
        raise Inconsistent(f"the file ends within an event: {len(data)} bytes, of {EVENT.size} each")
    held, text = set(), []
    for index, (_, _, kind, code, value) in enumerate(EVENT.iter_unpack(data)):
        try:
            if (kind, code) == (EV_SYN, SYN_DROPPED):
                raise Inconsistent("the kernel lost events because they were not read in time")
            if kind != EV_KEY:
                continue
            if value == PRESSED and code in held:
                raise Inconsistent(f"key {code} was pressed twice")
            if value != PRESSED and code not in held:
                raise Inconsistent(f"key {code} was {'released' if value == RELEASED else 'repeated'} but not pressed")
            if value == RELEASED:
                held.remove(code)
                decoder.release(code)
            elif value in (PRESSED, REPEATED):
                held.add(code)
                text.append(decoder.text(code, value == REPEATED))
            else:
                raise Inconsistent(f"key {code} has the value {value}")
        except Inconsistent as problem:
            raise Inconsistent(f"event {index + 1}: {problem}; the text so far: {''.join(text)!r}") from None
    if held:
        raise Inconsistent(f"still held at the end: key {', '.join(map(str, sorted(held)))}")
    if decoder.sequences.is_pending():
        raise Inconsistent("the last key is a dead key with nothing after it")
    return "".join(text)


def main():
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} LAYOUT EVENTFILE")
    try:
        with open(sys.argv[2], "rb") as file:
            data = file.read()
    except OSError as problem:
        sys.exit(f"evdev_text.py: {problem}")
    try:
        text = decode(sys.argv[1], data)
    except Inconsistent as problem:
        sys.exit(f"evdev_text.py: {problem}")
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))


if __name__ == "__main__":
    main()
