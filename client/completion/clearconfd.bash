# Completion of clearconfd(8) for bash, from what its --help says.

# What option $1 takes: FILE, PATH, DIR, NAME, a|b, or nothing.
_clearconfd_argument() {
	"${COMP_WORDS[0]}" --help 2>/dev/null |
		sed -n "s/^  $1 \(\[*[A-Za-z|]*\).*/\1/p"
}

_clearconfd() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} takes=
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	[[ $prev == --* ]] && takes=$(_clearconfd_argument "$prev")
	case $takes in
	*\|*) COMPREPLY=($(compgen -W "${takes//|/ }" -- "$cur")) ;;
	NAME) ;;
	*)
		if [[ -z $takes && $cur == -* ]]; then
			COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" --help 2>/dev/null |
				grep '^  --' | grep -o -e '--[a-z-]*')" -- "$cur"))
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi
		;;
	esac
	return 0
}

complete -o filenames -F _clearconfd clearconfd
