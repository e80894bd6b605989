"""The rules of daemon/doc/semantics.md once more, as plainly as they can be
said: what a text of texts.py means to ClearML. The numbers are the rules'.

It reads the little HOCON that texts.py writes, and knows no source of speed: it
is there to be compared with."""
import re

from clearml_environment import ENVIRONMENT

STEPS = 3000               # turns that take longer come to no end
DEPTH = 60                 # a value nested deeper comes of itself


class Refused(Exception):
    """ClearML gives up."""


# --- values ------------------------------------------------------------------
#
# None, True, False, int, float, str as they are; Null is a literal null, where
# None stands for nothing.

class Null:
    pass


class Object(dict):
    pass


class List(list):
    pass


class Text(str):
    """Unquoted text, or a scalar that has become text."""


class Quoted:
    def __init__(self, text, blanks):
        self.text, self.blanks = text, blanks


class Subst:
    def __init__(self, name, optional, blanks):
        self.name, self.optional, self.blanks = name, optional, blanks
        self.path = cut(name)
        self.holder = self.index = None


class Delayed:
    """Rule 1."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.earlier = self.place = self.key = None
        self.number()

    def number(self):
        for index, piece in enumerate(self.pieces):
            if isinstance(piece, Subst):
                piece.holder, piece.index = self, index

    def below(self):
        """This one and those that it came over, the oldest first."""
        chain, node = [], self
        while isinstance(node, Delayed):
            if any(node is other for other in chain):
                raise Refused('no end')
            chain.insert(0, node)
            node = node.earlier
        return chain

    def waiting(self):
        """Rule 6, as a list."""
        return [piece for one in self.below() for piece in one.pieces
                if isinstance(piece, Subst)]


def cut(name):
    return name.strip().split('.')


def handed_out(value):
    """Rule 4: a list is looked up as a copy, null as nothing."""
    if isinstance(value, Null):
        return None
    if isinstance(value, list):
        return [None if isinstance(item, Null) else item for item in value]
    return value


def something(value):
    """What Python takes for true."""
    return isinstance(value, (Delayed, Null)) or bool(value)


def merge(into, other, copy):
    """Rules 2 and 4: @other over @into."""
    for key in other:
        value = handed_out(other[key])
        old = handed_out(into.get(key))
        if isinstance(old, Object) and isinstance(value, Object):
            if copy:
                old = into[key] = Object(
                    (k, handed_out(v)) for k, v in old.items())
            merge(old, value, copy)
            continue
        if isinstance(value, Delayed):
            value.place, value.key = into, key
            if key in into:
                value.earlier = old
        into[key] = value
    return into


# --- reading -----------------------------------------------------------------

TOKEN = re.compile(r'''(?P<blank>[ ]+)|(?P<subst>\$\{\??[^}]+\})|"""(?P<triple>
    .*?)"""|"(?P<quoted>[^"]*)"|(?P<mark>[][{},])|(?P<word>[^][{},"$ ]+)''',
                   re.VERBOSE)
NUMBER = re.compile(r'[+-]?(\d*\.\d+|\d+(\.\d+)?)$')


class Reader:
    def __init__(self, text):
        self.tree = Object()
        self.versions = {}
        for line in text.splitlines():
            self.tokens = [(m.lastgroup, m.group(m.lastgroup))
                           for m in TOKEN.finditer(line)]
            self.at = 0
            self.field(self.tree)

    def peek(self):
        return (self.tokens[self.at] if self.at < len(self.tokens)
                else ('end', ''))

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def skip(self, *values):
        while self.peek()[0] == 'blank' or self.peek()[1] in values:
            self.at += 1

    def blanks(self):
        return self.take()[1] if self.peek()[0] == 'blank' else ''

    def field(self, into):
        """key (object | separator value); only what texts.py writes."""
        self.skip()
        name = self.take()[1]
        at_once = False
        if name[-1] == ':':
            name, separator = name[:-1], ':'
        else:
            self.skip()
            at_once = self.peek()[1] == '{'
            separator = None if at_once else self.take()[1]
        self.skip()
        value = self.object() if at_once else self.value()
        added = appended(name, value) if separator == '+=' else value
        put(self, into, cut(name), added, added is not value)

    def object(self):
        self.take()
        found = Object()
        self.skip(',')
        while self.peek()[1] != '}':
            self.field(found)
            self.skip(',')
        self.take()
        return found

    def list(self):
        self.take()
        found = List()
        self.skip(',')
        while self.peek()[1] != ']':
            item = self.value()
            if not (isinstance(item, str) and item == ''):
                found.append(item)
            self.skip(',')
        self.take()
        settle_in(found)
        return found

    def value(self):
        pieces = []
        while self.peek()[0] != 'end' and self.peek()[1] not in ('}', ']', ','):
            self.piece(pieces)
        if not pieces:
            return ''
        if isinstance(pieces[-1], Text):
            pieces[-1] = Text(pieces[-1].rstrip(' '))
        delayed = Delayed(pieces)
        return comes_to(delayed)

    def piece(self, pieces):
        kind, text = self.peek()
        if text == '{':
            pieces.append(self.object())
            return self.skip()
        if text == '[':
            pieces.append(self.list())
            return self.skip()
        self.take()
        if kind == 'blank':
            return None
        if kind == 'subst':
            optional = text[2] == '?'
            pieces.append(Subst(text[3 if optional else 2:-1], optional,
                                self.blanks()))
        elif kind == 'quoted':
            pieces.append(Quoted(text, self.blanks()))
        elif kind == 'triple':
            pieces.append(text)
        else:
            pieces.append(self.word(text))
        return None

    def word(self, text):
        """A number only before the end of the value or a substitution; true,
        false and null not right before one."""
        ends = self.at == len(self.tokens) or self.stops(self.at)
        if (text.lower() in ('true', 'false', 'null')
                and self.peek()[0] != 'subst'):
            return {'true': True, 'false': False, 'null': Null()}[text.lower()]
        if NUMBER.match(text) and ends:
            return int(text) if text.lstrip('+-').isdigit() else float(text)
        return Text(text + self.blanks())

    def stops(self, at):
        while at < len(self.tokens) and self.tokens[at][0] == 'blank':
            at += 1
        return (at == len(self.tokens) or self.tokens[at][0] == 'subst'
                or self.tokens[at][1] in ('}', ']', ','))


def appended(name, value):
    """Rule 3."""
    if isinstance(value, list):
        return Delayed([Subst(name, True, ''), value])
    if isinstance(value, str):
        return Delayed([Subst(name, True, ''), ' ' + value])
    return value


def settle_in(into):
    for index, item in enumerate(into):
        if isinstance(item, Delayed):
            item.place, item.key = into, index


def put(reader, into, path, value, append):
    """Rules 2 and 5."""
    key = path[0]
    root = into is reader.tree
    old = handed_out(into.get(key))
    if len(path) > 1:
        if not isinstance(into.get(key), Object):
            into[key] = Object()
            if root:
                reader.versions.setdefault(key, []).append(into[key])
        return put(reader, into[key], path[1:], value, append)
    if isinstance(value, Object) and isinstance(old, Object):
        value = (merge(merge(Object(), old, True), value, True) if root
                 else merge(old, value, False))
    elif isinstance(value, Object) and isinstance(old, Delayed):
        old.pieces.append(value)
        old.number()
        return None
    elif isinstance(value, Object) and key in into and not isinstance(
            old, (list, type(None))):
        raise Refused('an object over a scalar')
    elif isinstance(value, Delayed):
        value.place, value.key, value.earlier = into, key, old
        if isinstance(old, Object) and not append:
            value.pieces.insert(0, old)
            value.number()
    if root and into.get(key) is not value:
        reader.versions.setdefault(key, []).append(value)
    into[key] = value
    return None


# --- what a delayed value comes to -------------------------------------------

def kind(piece):
    return (Object if isinstance(piece, Object)
            else list if isinstance(piece, list) else str)


def comes_to(delayed):
    """Rule 7: itself while something waits, None for nothing."""
    if delayed.waiting():
        return delayed
    pieces = [piece for piece in delayed.pieces if piece is not None]
    if not pieces:
        return None
    if len({kind(piece) for piece in pieces}) > 1:
        raise Refused('pieces that do not fit')
    if kind(pieces[0]) is Object:
        return joined_objects(delayed, pieces)
    if kind(pieces[0]) is list:
        result = List(item for piece in pieces for item in piece)
        settle_in(result)
        return result
    if len(pieces) == 1:
        return pieces[0].text if isinstance(pieces[0], Quoted) else pieces[0]
    return ''.join(printed(piece, piece is pieces[-1]) for piece in pieces)


def joined_objects(delayed, pieces):
    objects = []
    node = delayed.earlier
    while something(node) and node is not None:
        found = comes_to(node) if isinstance(node, Delayed) else node
        if not isinstance(found, Object):
            break
        objects.insert(0, found)
        node = node.earlier if isinstance(node, Delayed) else None
    result = Object()
    for one in objects + pieces:
        merge(result, one, True)
    return result


def printed(piece, last):
    if isinstance(piece, Quoted):
        return piece.text + ('' if last else piece.blanks)
    if isinstance(piece, Null):
        return '<null>'
    return str(piece)


class Copier:
    """Rule 8."""

    def __init__(self):
        self.seen = {}

    def copy(self, value, depth=0):
        if depth > DEPTH:
            raise Refused('no end')
        if id(value) in self.seen:
            return self.seen[id(value)][0]
        if isinstance(value, Object):
            made = self.keep(value, Object())
            for key in value:
                made[key] = self.copy(handed_out(value[key]), depth + 1)
        elif isinstance(value, list):
            made = self.keep(value, List())
            made.extend(self.copy(item, depth + 1) for item in value)
        elif isinstance(value, Delayed):
            made = self.delayed(value, depth)
        else:
            made = value
        return made

    def keep(self, value, made):
        self.seen[id(value)] = (made, value)
        return made

    def delayed(self, value, depth):
        made = self.keep(value, Delayed([]))
        for piece in value.pieces:
            if isinstance(piece, Subst):
                piece = Subst(piece.name, piece.optional, piece.blanks)
            elif isinstance(piece, (Object, list)):
                piece = self.copy(piece, depth + 1)
            made.pieces.append(piece)
        made.number()
        made.key = value.key
        made.place = self.copy(value.place, depth + 1)
        made.earlier = self.copy(value.earlier, depth + 1)
        return made


# --- resolving ---------------------------------------------------------------

class Resolver:
    def __init__(self, reader):
        self.tree, self.versions = reader.tree, reader.versions
        self.agenda, self.steps, self.changed = [], 0, False
        self.chains = {}

    def waiting(self, value):
        if isinstance(value, Delayed):
            return value.waiting()
        inside = (value.values() if isinstance(value, Object)
                  else value if isinstance(value, list) else ())
        return [subst for item in inside for subst in self.waiting(item)]

    def look(self, path, start=None):
        """(found, value) of rule 12; Refused, when something is in the way."""
        value = self.tree if start is None else start
        for key in path:
            if not isinstance(value, Object):
                raise Refused('a path through what is no object')
            if key not in value:
                return False, None
            value = value[key]
        return True, handed_out(value)

    def known(self, path):
        try:
            return len(path) > 1 and self.look(path)[1] is not None
        except Refused:
            return False

    # Rule 9.
    def give(self, subst, value, missing=False):
        """(what the holder comes to, or @value that waits; did it wait)"""
        if isinstance(value, Delayed):
            value = comes_to(value)
            if isinstance(value, Delayed):
                return value, True
        holder = subst.holder
        value = Copier().copy(value)
        last = subst.index == len(holder.pieces) - 1
        if not (last or value is None or isinstance(value, (Object, list))):
            value = Text(printed(value, True) + subst.blanks)
        holder.pieces[subst.index] = value
        result = comes_to(holder)
        if result is None and missing:
            result = holder.earlier
        if isinstance(holder.place, Object):
            self.place(holder, result)
        else:
            holder.place[holder.key] = result
        return result, False

    def place(self, holder, result):
        if holder.place is self.tree and (
                result is None or holder.key not in self.tree):
            self.changed = True
        if result is None and holder.key in holder.place:
            del holder.place[holder.key]
        else:
            holder.place[holder.key] = result

    # Rule 10.
    def own_keys(self):
        keys = list(self.tree)
        for key in keys:
            self.changed = False
            self.own_key(key, self.versions[key])
            if self.changed and key is not keys[-1]:
                raise Refused('stumbles')

    def own_key(self, key, versions):
        if len(versions) == 1:
            for subst in self.own(versions[0], key):
                self.give_first(subst, key)
        before = versions[0]
        for version in versions[1:]:
            now = version
            for subst in self.own(version, key):
                if isinstance(before, Delayed):
                    raise Refused('a dead end')
                now = self.give(subst, self.rest(before, subst.path))[0]
            before = now

    def own(self, version, key):
        return (subst for subst in self.waiting(version)
                if subst.path[0] == key and not self.known(subst.path))

    def rest(self, before, path):
        if len(path) == 1:
            return before
        found, value = self.look(path[1:], before) if isinstance(
            before, Object) else (False, None)
        if not found:
            raise Refused('nothing there before')
        return value

    def give_first(self, subst, key):
        if subst.optional:
            self.give(subst, None)
        if key in ENVIRONMENT:
            self.give(subst, ENVIRONMENT[key])
        elif subst.optional:
            self.give(subst, None)

    # Rule 11.
    def turns(self):
        self.agenda = self.waiting(self.tree)
        before, waits = set(), False
        while self.agenda and set(self.agenda) != before:
            before, turn = set(self.agenda), list(self.agenda)
            for subst in turn:
                waits = self.turn(subst)
        if waits:
            raise Refused('leads back to itself')

    def turn(self, subst):
        self.steps += 1
        if self.steps > STEPS:
            raise Refused('no end')
        value, missing = self.value_of(subst)
        result, waits = self.give(subst, value, missing)
        if not waits:
            more = self.waiting(result)
            self.agenda.extend(more)
            waits = bool(more)
        if not isinstance(result, Delayed):
            self.agenda.remove(subst)
        return waits

    # Rule 12.
    def value_of(self, subst):
        """(value, is it missing)"""
        found, value = self.look(subst.path)
        if not found and subst.name in ENVIRONMENT:
            return ENVIRONMENT[subst.name], False
        if not found and not subst.optional:
            raise Refused('not defined')
        earlier = subst.holder.earlier
        if isinstance(value, Delayed) and something(earlier) and any(
                one is subst.holder for one in value.below()):
            value = earlier
        return value, not found


# --- the end -----------------------------------------------------------------

def plain(value):
    """Rule 13."""
    if isinstance(value, Delayed):
        value = comes_to(value)
    if isinstance(value, Delayed):
        raise Refused('leads back to itself')
    if isinstance(value, Object):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if isinstance(value, Null) else value


def read(text):
    """(True, value), or (False, why ClearML refuses it)."""
    try:
        reader = Reader(text)
        resolver = Resolver(reader)
        resolver.own_keys()
        resolver.turns()
        return True, plain(reader.tree)
    except (Refused, RecursionError) as why:
        return False, str(why)
