"""Random HOCON texts: a few keys that refer to each other and to themselves,
again and again, which is where one order of resolving differs from another."""

KINDS = ('list', 'text', 'object', 'section', 'mixed', 'nested')


def text_of(random, kind):
    """A text of one of KINDS."""
    first = [DEFINITIONS[kind](random, name)
             for name in 'abcd' if random.random() < 0.6]
    lines = first + [SHAPES[kind](random) for _ in range(random.randint(1, 5))]
    if random.random() < 0.3:
        random.shuffle(lines)
    return ''.join(line + '\n' for line in lines)


def key(random):
    return random.choice('abcd')


def digit(random):
    return str(random.randint(1, 9))


def list_line(random):
    name, other = key(random), key(random)
    return random.choice((
        '%s = [%s]' % (name, digit(random)),
        '%s = [%s]' % (name, digit(random)),
        '%s = ${%s}' % (name, other),
        '%s = ${%s} [7]' % (name, other),
        '%s = [x] ${%s}' % (name, other),
        '%s = [${%s}]' % (name, other),
        '%s += [%s]' % (name, digit(random)),
        '%s += ${%s}' % (name, other),
        '%s += [${%s}]' % (name, other),
        '%s = ${?%s} ${%s}' % (name, other, key(random)),
        '%s = ${%s} ${%s} [1]' % (name, other, key(random)),
        '%s += [x] ${%s}' % (name, other)))


def text_line(random):
    name, other = key(random), key(random)
    return random.choice((
        '%s = lit%s' % (name, digit(random)),
        '%s = lit%s' % (name, digit(random)),
        '%s = ${%s}' % (name, other),
        '%s = ${%s}/x' % (name, other),
        '%s = pre ${%s}' % (name, other),
        '%s = ${?%s}/y' % (name, other),
        '%s = ${?%s}' % (name, other),
        '%s += "foo"' % name,
        '%s = ${%s} ${?%s} z' % (name, other, key(random)),
        '%s = "q "${%s}" r"' % (name, other)))


def object_line(random):
    name, other = key(random), key(random)
    return random.choice((
        '%s = { p = %s }' % (name, digit(random)),
        '%s = { p = %s }' % (name, digit(random)),
        '%s = ${%s}' % (name, other),
        '%s = ${%s} { q = 7 }' % (name, other),
        '%s = { t = 1 } ${%s}' % (name, other),
        '%s = { r = ${%s} }' % (name, other),
        '%s = { p = ${%s.p} }' % (name, other),
        '%s { q = ${%s.p}, s = ${?%s.q} }' % (name, other, key(random)),
        '%s.p = ${%s.p}' % (name, other),
        '%s { r { u = ${?%s.p} } }' % (name, other)))


def section_line(random):
    name, other = random.choice('ab'), random.choice('ab')
    field, from_field = random.choice('xy'), random.choice('xy')
    names = (name, field, other, from_field)
    return random.choice((
        '%s { %s = lit%s }' % (name, field, digit(random)),
        '%s.%s = lit%s' % (name, field, digit(random)),
        '%s { %s = ${%s.%s} }' % names,
        '%s.%s = ${%s.%s}' % names,
        '%s.%s = ${%s.%s}/x' % names,
        '%s { %s = ${%s.%s}/x }' % names,
        '%s { %s = pre ${%s.%s} }' % names,
        '%s.%s = pre ${%s.%s}' % names,
        '%s.%s = ${?%s.%s}/y' % names,
        '%s { %s = ${?%s.%s}/y }' % names,
        '%s.%s += "foo"' % (name, field),
        '%s.%s += [%s]' % (name, field, digit(random)),
        '%s = ${%s} { %s = lit%s, %s: ${%s.%s}/p }' % (
            name, random.choice('cde'), field, digit(random), from_field,
            name, field),
        '%s = { %s = lit0 }' % (random.choice('cde'), field)))


def scalar(random):
    return random.choice((
        digit(random), 'lit' + digit(random), 'true', 'null', '""', '0',
        '1.50', '"a b "', '[]', '{}', '"""t"""', 'two words'))


def path(random):
    return random.choice((
        key(random), key(random), key(random),
        '%s.%s' % (key(random), random.choice('pq')),
        '%s.p.q' % key(random), 'HOME', 'EMPTY', 'NOPE'))


def reference(random):
    return '${%s%s}' % (random.choice(('', '', '?')), path(random))


def piece(random):
    return random.choice((
        reference, reference, reference, scalar,
        lambda r: '[%s]' % reference(r),
        lambda r: '[%s, %s]' % (digit(r), reference(r)),
        lambda r: '{ p = %s }' % reference(r),
        lambda r: '{ %s = %s }' % (r.choice('pq'), scalar(r)),
        lambda r: 'w' + digit(r)))(random)


def mixed_line(random):
    name = random.choice((key(random), key(random), key(random), '%s.%s' % (
        key(random), random.choice('pq'))))
    value = random.choice(('', '', ' ')).join(
        piece(random) for _ in range(random.choice((1, 1, 1, 2, 2, 3))))
    return random.choice((
        '%s = %s', '%s = %s', '%s = %s', '%s += %s')) % (name, value)


def nested_line(random):
    name, other = key(random), key(random)
    return random.choice((
        '%s { p { q = %s } }' % (name, reference(random)),
        '%s.p.q = %s' % (name, scalar(random)),
        '%s = { p = { q = %s }, l = [%s] }' % (
            name, scalar(random), reference(random)),
        '%s { l = [%s, { q = %s }] }' % (
            name, digit(random), reference(random)),
        '%s = ${%s.l}' % (name, other),
        '%s = ${%s.p}' % (name, other),
        '%s.p = ${%s}' % (name, other),
        '%s.l = ${?%s.l} [%s]' % (name, other, digit(random)),
        '%s = ${%s} ${?%s.p}' % (name, other, key(random)),
        '%s { p = ${%s.p} { q = %s } }' % (name, other, scalar(random)),
        '%s = [[%s], ${?%s.l}]' % (name, reference(random), other)))


SHAPES = {
    'list': list_line, 'text': text_line, 'object': object_line,
    'section': section_line, 'mixed': mixed_line, 'nested': nested_line,
}

DEFINITIONS = {
    'list': lambda r, name: '%s = [%s]' % (name, digit(r)),
    'text': lambda r, name: '%s = lit%s' % (name, digit(r)),
    'object': lambda r, name: '%s = { p = %s }' % (name, digit(r)),
    'section': lambda r, name: '%s { x = lit%s, y = lit%s }' % (
        name, digit(r), digit(r)),
    'mixed': lambda r, name: '%s = %s' % (name, scalar(r)),
    'nested': lambda r, name: '%s { p { q = %s }, l = [%s] }' % (
        name, digit(r), digit(r)),
}
