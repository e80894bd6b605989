"""What substitutions find in the environment; read_texts.c has the same."""

ENVIRONMENT = {'HOME': '/home/u', 'EMPTY': ''}
