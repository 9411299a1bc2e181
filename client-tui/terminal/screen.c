/* SPDX-License-Identifier: GPL-3.0-or-later */
/* curses has one current screen, in globals; `self` holds the rest of its state.
 *
 * A slow terminal blocks doupdate(), and with it the loop. So a draw has one doupdate(), curses
 * sends only what changed, and the loop limits the draws per second: the picture may be late but
 * never shows an old state. */
#include "terminal/screen.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unictype.h>
#include <unistd.h>
#include <wctype.h>

#include <curses.h>
#include <term.h>
/* <term.h> makes macros of plain words. */
#undef lines
#undef columns

#include "common/clock.h"
#include "common/standard.h"
#include "common/text.h"
#include "terminal/palette.h"
#include "terminal/restore.h"

/* Asks for the background (OSC 11 of xterm), and then for the attributes, which nearly every
 * terminal answers: an answer to the first comes before. */
#define QUESTION "\033]11;?\033\\\033[c"
/* The time in which a terminal answers, if it does; and how long leaving waits for that. */
#define ANSWER_TIME NS_PER_S
#define ANSWER_WAIT (200 * NS_PER_MS)

/* Replaces a character that the terminal would not show as the canvas has it. */
#define SUBSTITUTE_CHAR L'?'
/* Ends the reordering of text, and takes no column (the Unicode Standard Annex 9, 2.6). */
#define LEFT_TO_RIGHT_MARK L'\x200e'
/* Room for the characters of a cell, a mark and the end. */
#define CELL_TEXT (LAYOUT_CELL_CHARS + 2)

static struct {
	SCREEN *screen;
	char modes_on[96], modes_off[96]; /* the program's own terminal modes, on and off */
	bool mouse; /* the terminal reports the mouse while the program has it */
	/* The program has the terminal: false while it is suspended. */
	bool active;
	bool repaint, cursor_hidden;
	/* The number of colours in use; 0 for none. */
	int colours;
	enum background background;
	attr_t attributes[STYLES];
	/* The terminal was asked for its background; the time until which its answer may come. */
	bool asked;
	int64_t answer_until;
	bool awaits_attributes, awaits_background; /* the answers without which leaving waits */
	/* The last canvas shown: rows that are equal are not drawn. */
	struct canvas_cell *shown;
	int shown_rows, shown_columns;
	/* What is to be written without curses. */
	char bytes[4096];
	size_t pending;
} self;

/* Signals for which newterm() sets handlers of its own. */
static const int curses_signals[] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };
#define CURSES_SIGNALS (sizeof curses_signals / sizeof curses_signals[0])

static void set_active(bool active)
{
	self.active = active;
	restore_arm(active);
}

/* --- what is sent beside curses --- */

static const char *capability(const char *name)
{
	const char *s = tigetstr(name);
	return s != (const char *)-1 ? s : NULL;
}

/* Appends a capability without its padding ("$<5>"), which only curses handles. */
static void append_capability(char *to, size_t size, const char *name)
{
	const char *s = capability(name);
	size_t n = strlen(to);
	while (s && *s && n + 1 < size) {
		const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
		if (end)
			s = end + 1;
		else
			to[n++] = *s++;
	}
	to[n] = '\0';
}

/* Whether the terminal follows ECMA-48, and so ignores modes that it does not know. */
static bool is_ansi(void)
{
	const char *s = capability("cup");
	return s && strncmp(s, "\033[", 2) == 0;
}

/* Reports of buttons and the wheel, with large coordinates (xterm's ctlseqs). */
static const char mouse_on[] = "\033[?1000h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1000l";

static void prepare_modes(void)
{
	self.modes_on[0] = self.modes_off[0] = '\0';
	if (!is_ansi())
		return;
	text_append(self.modes_on, sizeof self.modes_on, "\033[?2004h");
	text_append(self.modes_off, sizeof self.modes_off, "\033[?2004l");
	/* On the alternate screen many terminals turn the wheel into arrow keys, which would walk
	 * through the history. The mode is saved and restored where the terminal supports that;
	 * else it is set, the default of terminals that know it. */
	if (capability("smcup")) {
		text_append(self.modes_on, sizeof self.modes_on, "\033[?1007l");
		text_append(self.modes_off, sizeof self.modes_off, "\033[?1007h\033[?1007r");
	}
	/* Always, because the user may have turned it on. */
	text_append(self.modes_off, sizeof self.modes_off, mouse_off);
}

/* Once, when the program gets the terminal: what is saved later is the program's own. */
static void save_wheel_mode(void)
{
	if (is_ansi() && capability("smcup"))
		standard_write("\033[?1007s", strlen("\033[?1007s"));
}

static void write_modes_on(void)
{
	standard_write(self.modes_on, strlen(self.modes_on));
	if (self.mouse)
		standard_write(mouse_on, strlen(mouse_on));
}

/* Prepares the bytes that restore the terminal without curses. */
static void prepare_restore(const struct termios *before)
{
	char bytes[RESTORE_BYTES] = "";
	text_append(bytes, sizeof bytes, self.modes_off);
	append_capability(bytes, sizeof bytes, "sgr0");
	append_capability(bytes, sizeof bytes, "op");
	append_capability(bytes, sizeof bytes, "cnorm");
	/* The same sequences as in clear_last(). */
	if (is_ansi())
		text_append(bytes, sizeof bytes, "\033[999;1H\033[A\033[J");
	append_capability(bytes, sizeof bytes, "rmcup");
	restore_start(bytes, before);
}

/* --- colours --- */

static enum background find_background(const struct screen_settings *settings)
{
	const char *term = getenv("TERM");
	if (settings->background != BACKGROUND_UNKNOWN)
		return settings->background;
	if (term && strcmp(term, "linux") == 0)
		return BACKGROUND_DARK;
	return palette_background(getenv("COLORFGBG"));
}

static void set_up_styles(void)
{
	for (int i = 0; i < STYLES; i++) {
		struct palette_entry entry = palette_entry((enum style)i, self.colours,
		    self.background);
		self.attributes[i] = (entry.marks & PALETTE_BOLD ? A_BOLD : 0) |
		                     (entry.marks & PALETTE_UNDERLINE ? A_UNDERLINE : 0) |
		                     (entry.marks & PALETTE_REVERSE ? A_REVERSE : 0);
		if (entry.colour != PALETTE_DEFAULT &&
		    init_pair((short)(i + 1), (short)entry.colour, -1) == OK)
			self.attributes[i] |= (attr_t)COLOR_PAIR(i + 1);
	}
}

static void set_up_colours(const struct screen_settings *settings)
{
	const char *no = getenv("NO_COLOR");
	bool wanted = settings->colour == SCREEN_COLOUR_AUTO
	                ? !no || no[0] == '\0'
	                : settings->colour == SCREEN_COLOUR_ALWAYS;
	/* Without default colours, the program's colours would change the user's background. */
	bool coloured = wanted && has_colors() && start_color() == OK && use_default_colors() == OK;
	self.colours = coloured ? COLORS : 0;
	self.background = find_background(settings);
	set_up_styles();
}

/* The first draw does not wait for the answer: a slow line or a terminal that never answers would
 * delay it. A terminal without an alternate screen is none that would understand. */
static void ask_background(void)
{
	self.asked = false;
	self.answer_until = 0;
	if (self.colours == 0 || self.background != BACKGROUND_UNKNOWN || !is_ansi() ||
	    !capability("smcup"))
		return;
	standard_write(QUESTION, strlen(QUESTION));
	self.asked = self.awaits_attributes = true;
	/* GNU screen passes on the first question, and answers the second by itself, before. */
	self.awaits_background = strncmp(getenv("TERM"), "screen", 6) == 0;
	self.answer_until = clock_monotonic() + ANSWER_TIME;
}

bool screen_take_answers(const struct keys_answers *answers)
{
	enum background background = palette_background_of(answers->background);
	self.awaits_attributes &= !answers->attributes;
	self.awaits_background &= !answers->background[0];
	if (!self.awaits_attributes && !self.awaits_background)
		self.answer_until = 0;
	if (!self.asked || background == BACKGROUND_UNKNOWN || background == self.background)
		return false;
	self.background = background;
	set_up_styles();
	/* curses shows a changed pair anew; marks change when the rows are drawn. */
	if (self.shown)
		memset(self.shown, 0,
		    (size_t)self.shown_rows * (size_t)self.shown_columns * sizeof *self.shown);
	return true;
}

/* Waits for an answer that the shell would get as typed; drops what is typed meanwhile. */
static void drop_answer(void)
{
	struct keys *keys = keys_new();
	int64_t now = clock_monotonic(), until = now + ANSWER_WAIT;
	while (keys && now < self.answer_until && now < until) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		struct key_event event;
		unsigned char bytes[256];
		ssize_t n = 0;
		if (poll(&in, 1, (int)((until - now) / NS_PER_MS) + 1) > 0 &&
		    (n = read(STDIN_FILENO, bytes, sizeof bytes)) <= 0)
			break;
		now = clock_monotonic();
		if (n > 0 && keys_feed(keys, bytes, (size_t)n, now) == 0)
			while (keys_next(keys, now, &event))
				continue;
		const struct keys_answers answers = keys_take_answers(keys);
		screen_take_answers(&answers);
	}
	if (now < self.answer_until)
		tcflush(STDIN_FILENO, TCIFLUSH);
	keys_free(keys);
}

/* --- starting and stopping --- */

/* Checks the terminal before the program changes it. */
static int examine_terminal(struct termios *before, char *reason, size_t size)
{
	const char *term = getenv("TERM");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return text_refuse(reason, size,
		    "standard input and output are not both a terminal; try --plain");
	if (!term || term[0] == '\0')
		return text_refuse(reason, size, "TERM is not set; try TERM=xterm, or --plain");
	int error = 0;
	if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return error < 0
		         ? text_refuse(reason, size,
		               "no terminal descriptions (terminfo) are installed; try --plain")
		         : text_refuse(reason, size,
		               "the terminal type '%.60s' is not known; try TERM=xterm, or --plain",
		               term);
	bool fit = capability("cup") && capability("clear");
	del_curterm(cur_term);
	if (!fit)
		return text_refuse(reason, size,
		    "a terminal of type '%.60s' cannot place the cursor; try --plain", term);
	if (tcgetattr(STDIN_FILENO, before) < 0)
		return text_refuse(reason, size, "the terminal's modes cannot be read: %s",
		    strerror(errno));
	return 0;
}

/* newterm() sets signal handlers; the program's own are put back. */
static SCREEN *new_screen(void)
{
	struct sigaction before[CURSES_SIGNALS];
	struct winsize known;
	for (size_t i = 0; i < CURSES_SIGNALS; i++)
		sigaction(curses_signals[i], NULL, &before[i]);
	/* LINES and COLUMNS in the environment are wrong after a change of size. */
	use_env(FALSE);
	/* newterm() of ncurses 6.5 fails if the terminal reports size 0. */
	use_tioctl(ioctl(STDOUT_FILENO, TIOCGWINSZ, &known) == 0 && known.ws_row > 0 &&
	           known.ws_col > 0);
	SCREEN *screen = newterm(NULL, stdout, stdin);
	for (size_t i = 0; i < CURSES_SIGNALS; i++)
		sigaction(curses_signals[i], &before[i], NULL);
	return screen;
}

int screen_start(const struct screen_settings *settings, char *reason, size_t size)
{
	static bool at_exit;
	if (self.screen)
		return 0;
	struct termios before;
	if (examine_terminal(&before, reason, size) < 0)
		return -1;
	self.screen = new_screen();
	if (!self.screen)
		return text_refuse(reason, size,
		    "the terminal cannot be used for the screen; try --plain");
	prepare_modes();
	self.mouse = settings->mouse && is_ansi();
	prepare_restore(&before);
	set_active(true);
	if (!at_exit)
		atexit(screen_stop);
	at_exit = true;
	raw();
	noecho();
	nonl();
	/* keys.h decodes the bytes. */
	keypad(stdscr, FALSE);
	meta(stdscr, TRUE);
	typeahead(-1);
	set_up_colours(settings);
	save_wheel_mode();
	write_modes_on();
	ask_background();
	screen_resize();
	return 0;
}

/* Clears the input line and the keys. Without an alternate screen (or with it off, in tmux and GNU
 * screen) the rows above stay, and later output follows them. */
static void clear_last(void)
{
	move(LINES > 1 ? LINES - 2 : 0, 0);
	clrtobot();
	refresh();
}

static void restore_terminal(void)
{
	drop_answer();
	clear_last();
	curs_set(1);
	standard_write(self.modes_off, strlen(self.modes_off));
	endwin();
	set_active(false);
}

void screen_stop(void)
{
	if (!self.screen)
		return;
	if (self.active)
		restore_terminal();
	delscreen(self.screen);
	self.screen = NULL;
	free(self.shown);
	self.shown = NULL;
	self.cursor_hidden = false;
}

void screen_suspend(void)
{
	if (!self.screen)
		return;
	restore_terminal();
	struct sigaction stop = { .sa_handler = SIG_DFL }, before;
	sigset_t only, mask;
	sigemptyset(&stop.sa_mask);
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	sigaction(SIGTSTP, &stop, &before);
	/* The whole process group stops, as the terminal does it: a shell script that waits for
	 * this program must stop too. Without job control the kernel drops the signal. */
	kill(0, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &only, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &before, NULL);
	set_active(true);
	save_wheel_mode();
	screen_resize();
}

/* --- the picture --- */

void screen_size(int *rows, int *columns)
{
	struct winsize size;
	*rows = *columns = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
	/* A serial line reports no size: use that of the terminal's description. */
	if (*rows < 1)
		*rows = self.screen && LINES > 0 ? LINES : 1;
	if (*columns < 1)
		*columns = self.screen && COLS > 0 ? COLS : 1;
}

void screen_resize(void)
{
	if (!self.screen)
		return;
	int rows, columns;
	screen_size(&rows, &columns);
	if (rows != LINES || columns != COLS)
		resize_term(rows, columns);
	screen_repaint();
}

bool screen_coloured(enum background *background)
{
	*background = self.background;
	return self.colours > 0;
}

void screen_repaint(void)
{
	self.repaint = true;
}

/* Returns true if terminals give the cell different numbers of columns: combined characters, emoji,
 * flags, the soft hyphen, Thai, Hangul jamo and scripts like them. Most cells are ASCII: the cheap
 * part of the question comes first. */
static bool differs(const struct canvas_cell *cell)
{
	/* Blocks of Unicode: from Devanagari to Myanmar, with Thai; Hangul jamo; Philippine scripts
	 * to Mongolian, with Khmer; symbols of which some are emoji; jamo again; emoji and all
	 * other planes. */
	static const struct {
		wchar_t first, last;
	} ranges[] = { { 0xad, 0xad }, { 0x900, 0x109f }, { 0x1100, 0x11ff }, { 0x1700, 0x18af },
		{ 0x2600, 0x26ff }, { 0xa960, 0xa97f }, { 0xd7b0, 0xd7ff }, { 0x10000, 0x10ffff } };
	const wchar_t c = cell->chars[0];

	if (cell->chars[1])
		return true;
	for (size_t i = 0; c >= ranges[0].first && i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Returns true if a character of the row is written from right to left. Terminals that reorder text
 * then also reorder what is between two such texts. */
static bool right_to_left(const struct canvas_cell *cells, int columns)
{
	for (int i = 0; i < columns; i++) {
		const wchar_t c = cells[i].chars[0];
		/* These scripts are from Hebrew to Arabic, and among the presentation forms. */
		const bool other = c < 0x590 || (c > 0x8ff && c < 0xfb1d);
		const int class = other ? UC_BIDI_L : uc_bidi_class((ucs4_t)c);

		if (class == UC_BIDI_R || class == UC_BIDI_AL || class == UC_BIDI_AN)
			return true;
	}
	return false;
}

/* Returns true if the cell is one of the screen's own signs: bars, arrows, blocks. */
static bool is_sign(const struct canvas_cell *cell)
{
	return cell->chars[0] >= 0x2190 && cell->chars[0] <= 0x2bff;
}

/* Returns true if this character of the cell is not drawn: it has no shape of its own, and some
 * terminals give it a column. Joined emoji are drawn one by one. */
static bool is_invisible(const struct canvas_cell *cell, wchar_t c)
{
	return c == 0x200b || c == 0x2060 || c == 0xfeff || (c == 0x200d && cell->width == 2);
}

/* The canvas's characters are safe to show; this last check does not rely on that. */
static bool is_safe(const struct canvas_cell *cell)
{
	/* Most cells are ASCII: the functions of the locale cost a tenth of a draw. */
	if (cell->chars[0] >= L' ' && cell->chars[0] <= L'~' && !cell->chars[1])
		return cell->width == 1;
	int width = wcwidth(cell->chars[0]);
	for (int i = 1; i < LAYOUT_CELL_CHARS && cell->chars[i]; i++) {
		if (iswcntrl((wint_t)cell->chars[i]) || wcwidth(cell->chars[i]) != 0)
			return false;
		if (cell->chars[i] == LAYOUT_EMOJI)
			width = 2;
	}
	return !iswcntrl((wint_t)cell->chars[0]) && width == cell->width;
}

struct drawn_row {
	int row, columns;
	const struct canvas_cell *cells;
	bool marked; /* marks keep the columns where they are */
};

static struct drawn_row row_of(const struct canvas *c, int row)
{
	struct drawn_row r = { .row = row,
		.columns = c->columns < COLS ? c->columns : COLS,
		.cells = c->cells + (size_t)row * (size_t)c->columns };
	/* mlterm keeps them by itself, and gives a mark a column. */
	r.marked = right_to_left(r.cells, r.columns) && !getenv("MLTERM");
	return r;
}

/* Writes the characters for a cell to `text`; returns how many times they are drawn. A mark before
 * and after each text keeps terminals from reordering two of them as one. */
static int cell_text(const struct drawn_row *r, int column, wchar_t text[CELL_TEXT])
{
	const struct canvas_cell *cell = &r->cells[column];
	bool safe = cell->chars[0] && is_safe(cell) && column + cell->width <= r->columns;
	int count = safe || column + 1 == r->columns || cell->width < 2 ? 1 : 2, n = 1;
	memset(text, 0, CELL_TEXT * sizeof *text);
	text[0] = safe ? cell->chars[0] : cell->chars[0] ? SUBSTITUTE_CHAR : L' ';
	for (int i = 1; i < LAYOUT_CELL_CHARS && safe && cell->chars[i]; i++)
		if (!is_invisible(cell, cell->chars[i]))
			text[n++] = cell->chars[i];
	if (r->marked && (column == 0 || (text[0] == L' ' && is_sign(cell - 1))))
		text[wcslen(text)] = LEFT_TO_RIGHT_MARK;
	return count;
}

static attr_t cell_attributes(const struct canvas_cell *cell)
{
	return self.attributes[cell->style < STYLES ? cell->style : STYLE_NORMAL];
}

static void draw_cell(const struct drawn_row *r, int column)
{
	const struct canvas_cell *cell = &r->cells[column];
	attr_t attributes = cell_attributes(cell);
	wchar_t text[CELL_TEXT];
	int count = cell_text(r, column, text);
	if (differs(cell)) {
		wcscpy(text, L" ");
		count = cell->width;
	}
	for (int i = 0; i < count; i++) {
		cchar_t out;
		if (setcchar(&out, text, attributes, (short)PAIR_NUMBER(attributes), NULL) == OK)
			/* mvadd_wch() writes the last cell and then fails: no line is next. */
			mvadd_wch(r->row, column + i, &out);
	}
}

static bool has_differing(const struct canvas_cell *cells, int columns)
{
	for (int column = 0; column < columns; column++)
		if (differs(&cells[column]))
			return true;
	return false;
}

/* Makes self.shown as large as the canvas. When memory is short, every row is drawn. */
static void size_record(const struct canvas *c)
{
	if (self.shown && self.shown_rows == c->rows && self.shown_columns == c->columns)
		return;
	free(self.shown);
	self.shown = calloc((size_t)c->rows * (size_t)c->columns, sizeof *self.shown);
	self.shown_rows = c->rows;
	self.shown_columns = c->columns;
	self.repaint = true;
}

/* Whether the row is to be drawn; `shown` becomes what it was, NULL when memory is short. */
static bool is_changed(const struct canvas *c, int row, struct canvas_cell **shown)
{
	size_t at = (size_t)row * (size_t)c->columns, bytes = (size_t)c->columns * sizeof *c->cells;
	*shown = self.shown ? self.shown + at : NULL;
	return self.repaint || !*shown || memcmp(*shown, c->cells + at, bytes) != 0;
}

static void draw_rows(const struct canvas *c)
{
	struct canvas_cell *shown;
	for (int row = 0; row < c->rows && row < LINES; row++) {
		if (!is_changed(c, row, &shown))
			continue;
		const struct drawn_row r = row_of(c, row);
		/* What was written without curses goes; and a terminal that does not combine
		 * characters puts a mark into the next cell. */
		if (r.marked || (shown && has_differing(shown, r.columns)))
			wredrawln(stdscr, row, 1);
		for (int column = 0; column < r.columns; column++)
			if (r.cells[column].width > 0)
				draw_cell(&r, column);
	}
}

/* --- cells for which terminals have different widths ---
 *
 * curses moves the cursor by the widths of wcwidth(). So it gets blanks for these cells, and they
 * are written after its update: the row from the first of them on, with the cursor's address after
 * each. */

static int put_byte(int byte)
{
	if (self.pending == sizeof self.bytes) {
		standard_write(self.bytes, self.pending);
		self.pending = 0;
	}
	self.bytes[self.pending++] = (char)byte;
	return byte;
}

static void put_address(int row, int column)
{
	tputs(tparm(cursor_address, row, column), 1, put_byte);
}

static void put_cell(const struct drawn_row *r, int column)
{
	attr_t attributes = cell_attributes(&r->cells[column]);
	wchar_t text[CELL_TEXT];
	char bytes[MB_LEN_MAX];
	vid_puts(attributes, (short)PAIR_NUMBER(attributes), NULL, put_byte);
	for (int count = cell_text(r, column, text); count > 0; count--)
		for (const wchar_t *t = text; *t; t++) {
			int n = wctomb(bytes, *t);
			for (int i = 0; i < n; i++)
				put_byte((unsigned char)bytes[i]);
		}
}

static void put_row(const struct drawn_row *r)
{
	bool differing = false, begun = false;
	/* The last cell of the screen would move its rows up. */
	int end = r->row == LINES - 1 ? r->columns - 1 : r->columns;
	for (int column = 0; column < end; column++) {
		const struct canvas_cell *cell = &r->cells[column];
		if (cell->width == 0)
			continue;
		if (differs(cell) != differing)
			put_address(r->row, column);
		differing = differs(cell);
		begun |= differing;
		if (begun)
			put_cell(r, column);
	}
}

/* Writes them for changed rows and the cursor's, where curses may have moved over them. */
static void put_rows(const struct canvas *c)
{
	struct canvas_cell *shown;
	int cursor_row, cursor_column;
	getyx(curscr, cursor_row, cursor_column);
	for (int row = 0; row < c->rows && row < LINES; row++) {
		bool changed = is_changed(c, row, &shown);
		if (!changed && row != cursor_row)
			continue;
		const struct drawn_row r = row_of(c, row);
		if (has_differing(r.cells, r.columns))
			put_row(&r);
		if (shown)
			memcpy(shown, r.cells, (size_t)c->columns * sizeof *r.cells);
	}
	if (self.pending == 0)
		return;
	put_address(cursor_row, cursor_column);
	standard_write(self.bytes, self.pending);
	self.pending = 0;
}

static void place_cursor(const struct canvas *c)
{
	bool hidden = c->cursor_row < 0 || c->cursor_row >= LINES;
	int column = c->cursor_column < COLS ? c->cursor_column : COLS - 1;
	if (hidden != self.cursor_hidden)
		curs_set(hidden ? 0 : 1);
	self.cursor_hidden = hidden;
	if (!hidden)
		move(c->cursor_row, column > 0 ? column : 0);
}

void screen_show(const struct canvas *c)
{
	if (!self.active)
		return;
	size_record(c);
	if (self.repaint) {
		/* After a SIGSTOP the shell has set the terminal's modes. */
		reset_prog_mode();
		write_modes_on();
		erase();
		clearok(curscr, TRUE);
	}
	draw_rows(c);
	place_cursor(c);
	wnoutrefresh(stdscr);
	doupdate();
	put_rows(c);
	self.repaint = false;
}

void screen_mouse(bool on)
{
	const char *bytes = on ? mouse_on : mouse_off;
	self.mouse = on && is_ansi();
	if (self.active && is_ansi())
		standard_write(bytes, strlen(bytes));
}

void screen_bell(void)
{
	if (self.active)
		beep();
}
