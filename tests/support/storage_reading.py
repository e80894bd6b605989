"""A second reading of the rules by which ClearML's storage code chooses credentials, made from the
prose alone (daemon/doc/storage.md) and independent of daemon/config/storage*.c; and random questions.

Only what the prose says is asked: names of letters and digits, and in paths the characters that it
names. resolve() gives the settings, None for no match, or raises Wrong.
"""

import random
import string
import urllib.parse


class Wrong(Exception):
    """ClearML fails."""


S3_ENTRY = {"bucket": "", "subdir": "", "host": "", "key": "", "secret": "", "token": "",
            "multipart": True, "acl": "", "secure": True, "region": "", "verify": None,
            "use_credentials_chain": False, "extra_args": None, "profile": ""}
S3_TEXTS = ("bucket", "subdir", "host", "key", "secret", "token", "acl", "region")
S3_DEFAULTS = {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY",
               "token": "AWS_SESSION_TOKEN", "region": "AWS_DEFAULT_REGION",
               "profile": "AWS_PROFILE"}
GS_ENTRY = {"bucket": None, "subdir": "", "project": None, "credentials_json": None,
            "pool_connections": None, "pool_maxsize": None}
AZURE_ENTRY = {"account_name": None, "account_key": None, "container_name": None}


def stripped(text):
    return text.strip("\"'").rstrip("/")


def segment(text):
    """Percent-encoded once: valid encoded text keeps what it has, else a '%' is one itself."""
    valid = all(text[at + 1:at + 3].strip(string.hexdigits) == "" and len(text[at + 1:at + 3]) == 2
                for at, char in enumerate(text) if char == "%") and " " not in text
    return urllib.parse.quote(urllib.parse.unquote(text) if valid else text, safe="+~()-._")


def path(text):
    return "/".join(map(segment, text.split("/")))


def entry_of(given, fields, required=()):
    if not isinstance(given, dict) or set(given) - set(fields) or set(required) - set(given):
        raise Wrong("an entry")
    return {**fields, **given}


def entries_of(section, key):
    given = section.get(key, [])
    if not isinstance(given, list):
        raise Wrong("no list")
    return given


def first_match(prefixed, uri):
    """By descending order of prefixes, the earlier of equals first; plain string prefixes."""
    for prefix, entry in sorted(prefixed, key=lambda pair: pair[0], reverse=True):
        if uri.lower().startswith(prefix):
            return entry
    return None


def split(uri):
    """(network part in small letters, path as written) of scheme://..."""
    network, slash, rest = uri.partition("://")[2].partition("/")
    if int(network.partition(":")[2] or 0) > 65535:
        raise Wrong("a port")
    return network.lower(), slash + rest


# -- S3 -------------------------------------------------------------------------------------------

def s3_entry(given):
    entry = entry_of(given, S3_ENTRY)
    for name in S3_TEXTS:
        entry[name] = entry[name] or ""
    entry["bucket"], entry["subdir"] = stripped(entry["bucket"]), stripped(entry["subdir"])
    return entry


def s3_prefix(entry):
    host, bucket = entry["host"].lower(), entry["bucket"].lower()
    if "/" in host or not (host or bucket):
        raise Wrong("a host")
    if host:
        return f"s3://{host}" + ("/" + path(bucket) if bucket else "")
    network, slash, rest = bucket.partition("/")
    return f"s3://{network}" + slash + path(rest)


def s3(section, env, uri):
    entries = [s3_entry(each) for each in entries_of(section, "credentials")]
    usable = [each for each in entries
              if (each["key"] and each["secret"]) or each["use_credentials_chain"]]
    found = first_match([(s3_prefix(each), each) for each in usable], uri)
    if found:
        return found
    result = dict(S3_ENTRY)
    for name, variable in S3_DEFAULTS.items():
        result[name] = (section.get(name) or env.get(variable, "")).strip()
    for name in ("use_credentials_chain", "secure", "extra_args"):
        result[name] = section.get(name, result[name])
    result["use_credentials_chain"] = result["use_credentials_chain"] or False
    network, rest = split(uri)
    result["bucket"] = network
    if ":" in network:
        result["host"] = network
        result["bucket"] = urllib.parse.unquote(rest[1:].partition("/")[0])
    return result


# -- Google ---------------------------------------------------------------------------------------

def gs_prefix(entry):
    subdir = entry["subdir"]
    return f"gs://{entry['bucket'].lower()}" + (
        ("" if subdir.startswith("/") else "/") + path(subdir) if subdir else "")


def gs(section, env, uri):
    entries = [entry_of(each, GS_ENTRY, ["bucket"]) for each in entries_of(section, "credentials")]
    for each in entries:
        each["subdir"] = stripped(each["subdir"] or "")
    found = first_match([(gs_prefix(each), each) for each in entries], uri)
    if found:
        return found
    network, rest = split(uri)
    result = {**GS_ENTRY, "bucket": network, "subdir": stripped(path(rest)),
              "credentials_json": (section.get("credentials_json")
                                   or env.get("GOOGLE_APPLICATION_CREDENTIALS") or {})}
    if section:
        result["project"] = section.get("project", "default") or {}
    for name in ("pool_connections", "pool_maxsize"):
        result[name] = section.get(name)
    return result


# -- Azure ----------------------------------------------------------------------------------------

def azure(section, env, uri):
    entries = [entry_of(each, AZURE_ENTRY, ["account_name", "account_key"])
               for each in entries_of(section or {}, "containers")]
    account, key = env.get("AZURE_STORAGE_ACCOUNT"), env.get("AZURE_STORAGE_KEY")
    if account and key:
        entries.append({**AZURE_ENTRY, "account_name": account, "account_key": key})
    network, rest = split(uri)
    if not rest:
        raise Wrong("no path")
    container = urllib.parse.unquote(rest[1:].partition("/")[0])
    for each in entries:
        if each["account_name"] == network.partition(".")[0] and (
                not each["container_name"] or each["container_name"] == container):
            return {**each, "container_name": each["container_name"] or container}
    return None


READINGS = {"s3": s3, "gs": gs, "azure": azure}


def resolve(kind, section, env, uri):
    return READINGS[kind](section, env, uri)


# -- random questions -----------------------------------------------------------------------------

NAMES = ["a", "ab", "abc", "a-b", "B", "Ab", "data", "data-eu", "x.y", "minio", "9"]
HOSTS = ["minio", "minio:9000", "minio:900", "MinIO:9000", "s3.eu", "a"]
SEGMENTS = ["a", "b", "A b", "x+y", "~u", "(1)", "50%", "a%20b", "%41", "d.e", ""]
ACCOUNTS = ["acc", "Acc", "acc.x", "other", "a"]


class Questions:
    """Sections of one provider, and URIs that are likely to be about their entries."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def fields(self, **offers):
        """Some of them: each (chance, values)."""
        return {name: self.random.choice(values) for name, (chance, values) in offers.items()
                if self.random.random() < chance}

    def bucket(self):
        name = self.random.choice(NAMES)
        tail = [self.random.choice(SEGMENTS) for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        text = "/".join([name, *tail])
        return self.random.choice([text, text, text + "/", f'"{text}"', f"'{text}/'"])

    def s3_entry(self):
        entry = self.fields(key=(.9, ["K1", "K2", "", None]), secret=(.9, ["S1", "S2", ""]),
                            token=(.2, ["T", None]), region=(.3, ["eu", None]),
                            use_credentials_chain=(.2, [True, False]), secure=(.2, [False]),
                            multipart=(.1, [False]), verify=(.2, [True, False, "/ca", None]),
                            acl=(.1, ["private", None]), profile=(.1, ["p", None]),
                            extra_args=(.1, [{"a": 1}, None]), odd=(.01, ["x"]))
        if self.random.random() < .4:
            entry["host"] = self.random.choice([*HOSTS, *HOSTS, *HOSTS, None, "a/", "http://a"]
                                               if self.random.random() < .2 else HOSTS)
        if self.random.random() < .9 or not entry.get("host"):
            entry["bucket"] = self.bucket()
        if self.random.random() < .1:
            entry["subdir"] = self.random.choice(["d", "'d/'", None])
        return entry

    def s3(self):
        section = self.fields(key=(.5, ["DK", " DK ", "", None]), secret=(.5, ["DS", "", None]),
                              token=(.3, ["DT", None]), region=(.3, ["us", ""]),
                              profile=(.2, ["dp", None]), use_credentials_chain=(.2, [True, None]),
                              secure=(.2, [False, True]), extra_args=(.2, [{"ACL": "x"}, None]),
                              verify=(.2, [False, "/ca"]))
        section["credentials"] = [self.s3_entry() for _ in range(self.random.randrange(6))]
        return section

    def gs(self):
        def entry():
            return {"bucket": self.random.choice(NAMES),
                    **self.fields(subdir=(.6, ["d", "/d", "d/e/", "D", "'d'", "a b", "50%", None]),
                                  project=(.5, ["p", None]), pool_maxsize=(.2, [8]),
                                  credentials_json=(.5, ["/c.json", None]))}
        section = self.fields(project=(.5, ["dp", "", None]), pool_connections=(.2, [4]),
                              credentials_json=(.4, ["/d.json", "", None]))
        if self.random.random() < .8:
            section["credentials"] = [entry() for _ in range(self.random.randrange(5))]
        return section

    def azure(self):
        def entry():
            return {"account_name": self.random.choice(ACCOUNTS), "account_key": "k",
                    **self.fields(container_name=(.6, ["c", "C", "a b", "", None]))}
        if self.random.random() < .1:
            return None
        return {"containers": [entry() for _ in range(self.random.randrange(5))]}

    def section(self, kind):
        return getattr(self, kind)()

    def near(self, kind, section):
        """What an entry of the section is about, or nearly; "" when there is none."""
        entries = (section or {}).get("credentials") or (section or {}).get("containers") or [{}]
        entry = self.random.choice(entries)
        names = {"s3": ["host", "bucket"], "gs": ["bucket", "subdir"], "azure": ["account_name"]}
        words = [stripped(entry.get(name) or "").strip("/") for name in names[kind]]
        return "/".join(word for word in words if word and "//" not in word)

    def uri(self, kind, section):
        near = self.near(kind, section) if self.random.random() < .7 else ""
        tail = "/".join(self.random.choice(SEGMENTS) for _ in range(self.random.randrange(1, 4)))
        if kind == "azure":
            account = self.random.choice(ACCOUNTS)
            return self.random.choice(["azure://{}/{}", "azure://{}.blob.core.windows.net/{}",
                                       "https://{}.blob.core.windows.net/{}"]).format(
                near.lower() or account, self.random.choice(["c", "C", "a%20b", ""]) + "/" + tail)
        host = near or self.random.choice(NAMES + (HOSTS if kind == "s3" else []))
        scheme = self.random.choice([kind, kind, kind.upper()])
        return f"{scheme}://{host}" + self.random.choice(["", "0", "/" + tail, "/" + tail])
