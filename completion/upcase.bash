# SPDX-License-Identifier: GPL-3.0-or-later
# bash completion for upcase(1), upcase-check(1), upcase-lab(1) and upcased(8). The programs themselves
# say what may follow; common/options.h has the form of their lines.

# _upcase_offer PROGRAM WORD...: offers what may stand for the last word. The caller's $skip is how
# much of it bash keeps.
_upcase_offer()
{
	local program=${1/#\~\//$HOME/} last=${*: -1} line value
	value=${last#--*=}

	while IFS= read -r line; do
		case $line in
		$'\t'FILE:* | $'\t'PATH:*) _upcase_names f ;;
		$'\t'HOST:*) _upcase_names A hostname ;;
		$'\t'COMMAND:*) _upcase_names c ;;
		$'\tcommand '*) _upcase_command "${line#* }" "$@" ;;
		$'\t'*) ;;
		"$last"*)
			line=${line%%$'\t'*}
			COMPREPLY+=("${line:skip}")
			;;
		esac
	done < <("$program" --complete "${@:2}" 2>/dev/null </dev/null)
}

# _upcase_names KIND...: offers what compgen knows. Where bash completes just the value, its own
# completion of files knows more, of quotes and of "~".
_upcase_names()
{
	local name before=${last%"$value"}

	if [[ $1 == f && ( -z $before || $current != "$before"* ) ]]; then
		compopt -o bashdefault -o default
		return
	fi
	[[ $1 != f ]] || compopt -o filenames
	while IFS= read -r name; do
		name=$before$name
		COMPREPLY+=("${name:skip}")
	done < <(compgen "-$1" ${2:+"$2"} -- "$value")
}

# _upcase_command N PROGRAM WORD...: completes the command that begins behind N words.
_upcase_command()
{
	local command=("${@:$1 + 3}")

	starts=("${starts[@]:$1 + 1}")
	if ((${#command[@]} == 1)); then
		_upcase_names c
		compopt -o bashdefault -o default
	elif [[ $(complete -p -- "${command[0]##*/}" 2>/dev/null) == *' -F _upcase '* ]]; then
		_upcase_offer "${command[@]}"
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$starts"
	else
		compopt -o bashdefault -o default
	fi
}

_upcase()
{
	local rest=${COMP_LINE:0:COMP_POINT} current=${2//[\"\'\\]/} words=() starts=() skip word i

	# Bash breaks words at "=" and ":" too; what no blank divides is one word here.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((i == 0)) || [[ $rest == [[:blank:]]* ]]; then
			rest=${rest#"${rest%%[![:blank:]]*}"}
			starts[${#words[@]}]=$i
			words+=("")
		fi
		((i < COMP_CWORD)) || word=$rest
		words[-1]+=$word
		rest=${rest#"$word"}
	done
	words=("${words[@]//[\"\'\\]/}")
	word=${words[-1]}
	skip=$((${#word} - ${#current}))
	COMPREPLY=()
	# The values have an order of their own.
	[[ $word == -* && $word != *=* ]] || compopt -o nosort
	_upcase_offer "${words[@]}"
}

complete -F _upcase upcase upcase-check upcase-lab upcased
