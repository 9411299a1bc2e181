# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the table of client-tui/app/demo.c from upcase-tour(7), whose paragraphs are the texts of
# /demo and whose comments are the script. A comment .\" @KIND WORDS is one step. The text of a
# step that has one (say, ask, why) is what follows up to the next step. A demonstration begins with
# .\" @demo behind its heading. What is not known ends the build. All is ASCII, for any terminal.

function fail(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	failed = 1
	exit 1
}

function quoted(s) {
	gsub(/\\/, "\\\\", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}

function plain(s) {
	gsub(/\\&/, "", s)
	gsub(/\\-/, "-", s)
	gsub(/\\e/, "\\", s)
	gsub(/\\\(aq/, "'", s)
	gsub(/\\\(mu/, "x", s)
	gsub(/\\\(en/, "-", s)
	if (s ~ /\\\(/)
		fail("an escape that make-demo.awk does not know: " s)
	return s
}

# The words of a macro, in quotes where mdoc shows quotes; a mark of punctuation at the end stays
# outside.
function shown(line,    macro, after) {
	macro = substr(line, 2, 2)
	line = substr(line, 5)
	if (match(line, / [.,;:)]$/)) {
		after = substr(line, RSTART + 1)
		line = substr(line, 1, RSTART - 1)
	}
	if (macro == "Ql" || macro == "Dq")
		return "'" line "'" after
	if (macro == "Fl")
		return "-" line after
	if (macro == "Xr" && split(line, part, " ") == 2)
		return part[1] "(" part[2] ")" after
	if (macro != "Li")
		fail("a macro that make-demo.awk does not know: ." macro)
	return line after
}

function finish() {
	if (kind != "" && kind != "end")
		printf "\t{ DEMO_%s, %s, %s },\n", toupper(kind), quoted(words), quoted(text)
	kind = text = ""
}

BEGIN {
	split("demo round say ask set over port order send wait point expect why end", names, " ")
	for (i in names)
		known[names[i]] = 1
	print "/* Made from man/upcase-tour.7 by make-demo.awk. */"
}

/^\.Ss / {
	finish()
	title = plain(substr($0, 5))
}

/^\.\\" @/ {
	finish()
	kind = substr($2, 2)
	words = substr($0, length($1 $2) + 3)
	if (!(kind in known))
		fail("a step that make-demo.awk does not know: @" kind)
	if (kind == "demo") {
		words = title
		text = "demo " ++demos ": " title
	}
	next
}

kind == "say" || kind == "ask" || kind == "why" {
	if ($0 == ".Pp")
		next
	text = text (text == "" ? "" : " ") plain($0 ~ /^\./ ? shown($0) : $0)
}

END {
	if (!failed)
		finish()
}
