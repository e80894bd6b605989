"""Varlink's interface language, read: what a method takes and gives, and whether
a message is of that shape.

A type is a name ("string", "Origin"), or a tuple: ("maybe", t), ("array", t),
("map", t), ("enum", names), ("struct", {name: type}).
"""

import re

TOKEN = re.compile(r"#[^\n]*|\s+|->|\[\]|\[string\]|[A-Za-z][A-Za-z0-9_.-]*|[?(),:]")
BASIC = {"bool": bool, "int": int, "float": (int, float), "string": str}


class Interface:
    """One description; ValueError when it is none."""

    def __init__(self, text):
        self.types, self.methods, self.errors = {}, {}, {}
        self.tokens = self.split(text)
        self.take("interface")
        self.name = self.tokens.pop(0)
        while self.tokens:
            self.declaration()
        for kind in [*self.types.values(), *self.errors.values(),
                     *(side for sides in self.methods.values() for side in sides)]:
            self.check_names(kind)

    @staticmethod
    def split(text):
        tokens, at = [], 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"no token: {text[at:at + 20]!r}")
            at = found.end()
            if not re.match(r"#|\s", found[0]):
                tokens.append(found[0])
        return tokens

    def take(self, wanted):
        if not self.tokens or self.tokens[0] != wanted:
            raise ValueError(f"{wanted!r} expected at {self.tokens[:5]}")
        self.tokens.pop(0)

    def next_is(self, token):
        return bool(self.tokens) and self.tokens[0] == token

    def declaration(self):
        word, name = self.tokens.pop(0), self.tokens.pop(0)
        known = {*self.types, *self.methods, *self.errors}  # of a language they are one
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or name in known:
            raise ValueError(f"{word} {name}: no name, or declared before")
        self.declared(word)[name] = self.group()
        if word == "method":
            self.take("->")
            self.methods[name] = (self.methods[name], self.group())

    def declared(self, word):
        tables = {"type": self.types, "method": self.methods, "error": self.errors}
        if word not in tables:
            raise ValueError(f"{word!r} declares nothing")
        return tables[word]

    def group(self):
        """( name: type, ... ) or ( name, ... )"""
        fields, names = {}, []
        self.take("(")
        while not self.next_is(")"):
            names.append(self.tokens.pop(0))
            if self.next_is(":"):
                self.take(":")
                fields[names[-1]] = self.type()
            if not self.next_is(")"):
                self.take(",")
        self.take(")")
        if len(set(names)) < len(names) or fields and len(fields) < len(names):
            raise ValueError(f"names of {names}")
        return ("enum", names) if names and not fields else ("struct", fields)

    def type(self):
        prefixes = {"?": "maybe", "[]": "array", "[string]": "map"}
        for prefix, kind in prefixes.items():
            if self.next_is(prefix):
                self.take(prefix)
                return kind, self.type()
        return self.group() if self.next_is("(") else self.tokens.pop(0)

    def check_names(self, kind):
        if isinstance(kind, str):
            if kind not in BASIC and kind != "object" and kind not in self.types:
                raise ValueError(f"no type {kind}")
        elif kind[0] == "struct":
            for each in kind[1].values():
                self.check_names(each)
        elif kind[0] != "enum":
            self.check_names(kind[1])

    # Messages.

    def misfits(self, value, kind, where=""):
        """What of a value is not of this type: a list of places."""
        if isinstance(kind, str):
            return self.misfits_named(value, kind, where)
        shape, of = kind
        if shape == "maybe":
            return [] if value is None else self.misfits(value, of, where)
        if shape == "enum":
            return [] if value in of else [f"{where}: {value!r} is none of {of}"]
        if not isinstance(value, list if shape == "array" else dict):
            return [f"{where}: {value!r} for {shape}"]
        if shape == "struct":
            return self.misfits_in_struct(value, of, where)
        items = enumerate(value) if shape == "array" else value.items()
        return [misfit for key, item in items
                for misfit in self.misfits(item, of, f"{where}.{key}")]

    def misfits_of_reply(self, method, reply):
        """The same of a reply to a method, an error included; of other interfaces
        nothing is known."""
        name = reply.get("error", method)
        interface, _, name = name.rpartition(".")
        if interface != self.name:
            return []
        if "error" in reply:
            kind = self.errors.get(name)
        else:
            kind = self.methods[name][1] if name in self.methods else None
        if not kind:
            return [f"{name}: not declared"]
        return self.misfits(reply["parameters"], kind, name)

    def misfits_named(self, value, name, where):
        if name in self.types:
            return self.misfits(value, self.types[name], where)
        if name == "object":
            return []
        fits = isinstance(value, BASIC[name]) and (name == "bool" or not isinstance(value, bool))
        return [] if fits else [f"{where}: {value!r} for {name}"]

    def misfits_in_struct(self, value, fields, where):
        found = [f"{where}.{key}: not declared" for key in value.keys() - fields.keys()]
        for key, kind in fields.items():
            if key in value:
                found += self.misfits(value[key], kind, f"{where}.{key}")
            elif kind[0] != "maybe":
                found.append(f"{where}.{key}: missing")
        return found
