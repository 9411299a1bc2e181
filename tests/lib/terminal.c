/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program's side of the pseudo-terminal stays open here while it runs, so that its modes can be
 * read; it is closed when the program has ended, and what is left to read then ends with EIO. */
#include "tests/lib/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* How long to wait for bytes before looking whether the program has ended. */
#define LOOK_MS 10
/* A process that the program left behind may hold the terminal open; after so many looks in vain
 * nothing more is expected. */
#define QUIET_LOOKS 30
#define VARIABLES 48

struct terminal {
	struct terminal *next;
	int rows, columns;
	VTerm *emulator;
	VTermScreen *screen;
	/* The emulator's end and the program's. -1 when closed. */
	int fd, program_fd;
	/* The process started, and the program: the same but for a job. 0 when reaped. */
	pid_t child, program;
	int status;
	/* Nothing more can come. */
	bool at_end;
	/* Looks in vain since the program ended. */
	int quiet;
	struct termios before, after;
	char home[64], path[192];
	char *variables[VARIABLES];
	size_t variable_count;
	/* Every byte that came. */
	char *raw;
	size_t raw_count, raw_room;
	char *row_text;
	bool alternate, mouse, cursor_visible;
	size_t bells;
	/* The emulator gets `shown` in place of each `character`, of which `held` bytes have come;
	 * or NULL. */
	const char *character, *shown;
	size_t held;
	/* Instead of the emulator's attributes, or NULL. */
	const char *answer;
};

/* All that are open, for the teardown. */
static struct terminal *terminals;

/* --- the emulator --- */

static int set_property(VTermProp property, VTermValue *value, void *user)
{
	struct terminal *t = user;
	if (property == VTERM_PROP_ALTSCREEN)
		t->alternate = value->boolean;
	else if (property == VTERM_PROP_MOUSE)
		t->mouse = value->number != VTERM_PROP_MOUSE_NONE;
	else if (property == VTERM_PROP_CURSORVISIBLE)
		t->cursor_visible = value->boolean;
	return 1;
}

static int ring(void *user)
{
	((struct terminal *)user)->bells++;
	return 1;
}

/* What the emulator sends: keys, pastes, answers to questions. */
static void send_output(const char *bytes, size_t n, void *user)
{
	const struct terminal *t = user;
	const bool attributes = n > 3 && memcmp(bytes, "\033[?", 3) == 0 && bytes[n - 1] == 'c';
	if (attributes && t->answer)
		term_bytes(user, t->answer, strlen(t->answer));
	else
		term_bytes(user, bytes, n);
}

void term_answer(struct terminal *t, const char *bytes)
{
	t->answer = bytes;
}

/* libvterm breaks when a wide character comes on a screen of one column, as it does when the
 * program writes while the size changes: the emulator keeps a second one, into which nobody looks.
 */
static int emulated(int columns)
{
	return columns > 1 ? columns : 2;
}

static void set_up_emulator(struct terminal *t, bool alternate)
{
	static const VTermScreenCallbacks callbacks = { .settermprop = set_property, .bell = ring };
	t->emulator = vterm_new(t->rows, emulated(t->columns));
	vterm_set_utf8(t->emulator, 1);
	vterm_output_set_callback(t->emulator, send_output, t);
	t->screen = vterm_obtain_screen(t->emulator);
	if (alternate)
		vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_set_callbacks(t->screen, &callbacks, t);
	vterm_screen_reset(t->screen, 1);
}

/* --- the home folder and the environment --- */

const char *term_home(const struct terminal *t)
{
	return t->home;
}

void term_without_alternate(struct terminal *t)
{
	vterm_free(t->emulator);
	set_up_emulator(t, false);
}

void term_setenv(struct terminal *t, const char *name, const char *value)
{
	char *entry = NULL;
	assert_true(t->variable_count < VARIABLES);
	assert_true((value ? asprintf(&entry, "%s=%s", name, value)
	                   : asprintf(&entry, "%s", name)) > 0);
	t->variables[t->variable_count++] = entry;
}

/* In the child. The last entry for a name holds. */
static void set_environment(const struct terminal *t)
{
	for (size_t i = 0; i < t->variable_count; i++) {
		char *equals = strchr(t->variables[i], '=');
		if (!equals) {
			unsetenv(t->variables[i]);
			continue;
		}
		*equals = '\0';
		setenv(t->variables[i], equals + 1, 1);
	}
}

static void set_folder(struct terminal *t, const char *name, const char *below)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", t->home, below);
	term_setenv(t, name, path);
}

const char *term_file(struct terminal *t, const char *name, const char *text)
{
	snprintf(t->path, sizeof(t->path), "%s/%s", t->home, name);
	for (char *slash = strchr(t->path + strlen(t->home) + 1, '/'); slash;
	    slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(t->path, 0700);
		*slash = '/';
	}
	FILE *file = fopen(t->path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return t->path;
}

static void set_up_environment(struct terminal *t)
{
	static const char *const unset[] = { "LINES", "COLUMNS", "NO_COLOR", "COLORFGBG",
		"COLORTERM", "LANG", "LANGUAGE" };
	for (size_t i = 0; i < sizeof(unset) / sizeof(unset[0]); i++)
		term_setenv(t, unset[i], NULL);
	term_setenv(t, "HOME", t->home);
	set_folder(t, "XDG_CONFIG_HOME", ".config");
	set_folder(t, "XDG_STATE_HOME", ".local/state");
	set_folder(t, "XDG_DATA_HOME", ".local/share");
	set_folder(t, "XDG_CACHE_HOME", ".cache");
	set_folder(t, "XDG_RUNTIME_DIR", ".run");
	term_setenv(t, "TERM", "xterm-256color");
	term_setenv(t, "LC_ALL", "C.UTF-8");
	term_setenv(t, "INPUTRC", "/dev/null");
	term_setenv(t, "LSAN_OPTIONS", "print_suppressions=0");
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

/* --- opening, running, closing --- */

struct terminal *term_open(int rows, int columns)
{
	const char *folder = getenv("TMPDIR");
	struct terminal *t = calloc(1, sizeof(*t));
	assert_non_null(t);
	*t = (struct terminal){ .rows = rows,
		.columns = columns,
		.fd = -1,
		.program_fd = -1,
		.at_end = true,
		.cursor_visible = true,
		.next = terminals };
	terminals = t;
	snprintf(t->home, sizeof(t->home), "%s/terminal.XXXXXX",
	    folder && strlen(folder) < sizeof(t->home) - 20 ? folder : "/tmp");
	assert_non_null(mkdtemp(t->home));
	set_up_emulator(t, true);
	set_up_environment(t);
	return t;
}

static void exec_program(const char *const argv[])
{
	union {
		const char *const *in;
		char *const *out;
	} arguments = { .in = argv };
	execvp(argv[0], arguments.out);
	fprintf(stderr, "%s: %s\r\n", argv[0], strerror(errno));
	_exit(127);
}

/* A stopped job waits for "fg" as in a shell. */
static void wait_for_fg(pid_t job)
{
	static const char stopped[] = "[stopped]\r\n";
	char line[64];
	tcsetpgrp(STDIN_FILENO, getpgrp());
	ssize_t n = write(STDOUT_FILENO, stopped, sizeof(stopped) - 1);
	do {
		n = read(STDIN_FILENO, line, sizeof(line));
		if (n <= 0 && errno != EINTR)
			_exit(126);
	} while (n < 3 || memcmp(line, "fg\n", 3) != 0);
	tcsetpgrp(STDIN_FILENO, job);
	kill(-job, SIGCONT);
}

/* The little shell, in a process of its own. Tells the job's process by `tell`. */
static void run_job(const char *const argv[], int tell)
{
	signal(SIGTTOU, SIG_IGN);
	pid_t job = fork();
	if (job == 0) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		close(tell);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exec_program(argv);
	}
	setpgid(job, job);
	if (job < 0 || write(tell, &job, sizeof(job)) != sizeof(job))
		_exit(126);
	close(tell);
	int status;
	while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status))
		wait_for_fg(job);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void become_child(struct terminal *t, const char *const argv[], const int *tell)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (ioctl(t->program_fd, TIOCSCTTY, 0) < 0)
		_exit(126);
	for (int fd = 0; fd < 3; fd++)
		dup2(t->program_fd, fd);
	set_environment(t);
	if (tell)
		run_job(argv, tell[1]);
	exec_program(argv);
}

static void open_pty(struct terminal *t)
{
	struct winsize size = { .ws_row = (unsigned short)t->rows,
		.ws_col = (unsigned short)t->columns };
	if (t->fd >= 0)
		close(t->fd);
	assert_int_equal(openpty(&t->fd, &t->program_fd, NULL, NULL, &size), 0);
	fcntl(t->fd, F_SETFD, FD_CLOEXEC);
	fcntl(t->program_fd, F_SETFD, FD_CLOEXEC);
	fcntl(t->fd, F_SETFL, O_NONBLOCK);
	assert_int_equal(tcgetattr(t->program_fd, &t->before), 0);
	t->after = t->before;
	t->at_end = false;
	t->quiet = 0;
}

static void run(struct terminal *t, const char *const argv[], bool job)
{
	int tell[2] = { -1, -1 };
	assert_int_equal(t->child, 0);
	open_pty(t);
	if (job)
		assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	t->child = fork();
	assert_true(t->child >= 0);
	if (t->child == 0)
		become_child(t, argv, job ? tell : NULL);
	t->program = t->child;
	if (job) {
		close(tell[1]);
		ssize_t n = read(tell[0], &t->program, sizeof(t->program));
		close(tell[0]);
		assert_int_equal(n, sizeof(t->program));
	}
}

void term_run(struct terminal *t, const char *const argv[])
{
	run(t, argv, false);
}

void term_run_job(struct terminal *t, const char *const argv[])
{
	run(t, argv, true);
}

struct terminal *term_start(int rows, int columns, const char *const argv[],
    const char *const env[])
{
	struct terminal *t = term_open(rows, columns);
	for (; env && *env; env++) {
		char *name = strdup(*env);
		assert_non_null(name);
		char *equals = strchr(name, '=');
		if (equals)
			*equals++ = '\0';
		term_setenv(t, name, equals);
		free(name);
	}
	term_run(t, argv);
	return t;
}

static void kill_all(struct terminal *t)
{
	if (!t->child)
		return;
	kill(t->program, SIGKILL);
	kill(t->child, SIGKILL);
	while (waitpid(t->child, NULL, 0) < 0 && errno == EINTR)
		;
	t->child = 0;
}

void term_close(struct terminal *t)
{
	for (struct terminal **at = &terminals; *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	kill_all(t);
	if (t->fd >= 0)
		close(t->fd);
	if (t->program_fd >= 0)
		close(t->program_fd);
	if (t->emulator)
		vterm_free(t->emulator);
	nftw(t->home, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	while (t->variable_count > 0)
		free(t->variables[--t->variable_count]);
	free(t->raw);
	free(t->row_text);
	free(t);
}

int term_teardown(void **state)
{
	(void)state;
	while (terminals)
		term_close(terminals);
	return 0;
}

/* --- reading --- */

/* Gives the emulator a byte, or what is shown in its place. */
static void show_byte(struct terminal *t, char byte)
{
	if (t->held > 0 && t->character[t->held] != byte) {
		vterm_input_write(t->emulator, t->character, t->held);
		t->held = 0;
	}
	if (t->character[t->held] != byte) {
		vterm_input_write(t->emulator, &byte, 1);
	} else if (t->character[++t->held] == '\0') {
		vterm_input_write(t->emulator, t->shown, strlen(t->shown));
		t->held = 0;
	}
}

static void take(struct terminal *t, const char *bytes, size_t n)
{
	if (t->raw_count + n > t->raw_room) {
		t->raw_room = (t->raw_count + n) * 2;
		t->raw = realloc(t->raw, t->raw_room);
		assert_non_null(t->raw);
	}
	memcpy(t->raw + t->raw_count, bytes, n);
	t->raw_count += n;
	for (size_t i = 0; t->character && i < n; i++)
		show_byte(t, bytes[i]);
	if (!t->character)
		vterm_input_write(t->emulator, bytes, n);
}

void term_show_as(struct terminal *t, const char *character, const char *shown)
{
	t->character = character;
	t->shown = shown;
}

static void read_all(struct terminal *t)
{
	char buffer[8192];
	ssize_t n;
	while (t->fd >= 0 && (n = read(t->fd, buffer, sizeof(buffer))) != 0) {
		if (n > 0)
			take(t, buffer, (size_t)n);
		else if (errno == EIO)
			t->at_end = true;
		if (n < 0 && errno != EINTR)
			break;
	}
	vterm_screen_flush_damage(t->screen);
}

static void find_end(struct terminal *t)
{
	if (!t->child || waitpid(t->child, &t->status, WNOHANG) != t->child)
		return;
	t->child = 0;
	if (t->program_fd >= 0) {
		tcgetattr(t->program_fd, &t->after);
		close(t->program_fd);
	}
	t->program_fd = -1;
	if (t->fd < 0)
		t->at_end = true;
}

void term_update(struct terminal *t)
{
	find_end(t);
	read_all(t);
}

static void wait_a_little(struct terminal *t, short events)
{
	struct pollfd p = { .fd = t->fd, .events = events };
	if (poll(&p, 1, LOOK_MS) == 0 && !t->child && ++t->quiet >= QUIET_LOOKS)
		t->at_end = true;
	term_update(t);
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t deadline(void)
{
	const char *factor = getenv("TEST_PATIENCE");
	int times = factor ? atoi(factor) : 1;
	return now_ms() + (int64_t)TERM_PATIENCE * 1000 * (times > 0 ? times : 1);
}

/* --- writing --- */

void term_bytes(struct terminal *t, const void *bytes, size_t n)
{
	const char *at = bytes;
	int64_t end = deadline();
	while (n > 0 && t->fd >= 0 && !t->at_end) {
		ssize_t written = write(t->fd, at, n);
		if (written > 0) {
			at += written;
			n -= (size_t)written;
		} else if (now_ms() > end) {
			term_dump(t);
			fail_msg("the program does not read what is typed");
		} else {
			wait_a_little(t, POLLOUT);
		}
	}
}

void term_type(struct terminal *t, const char *text)
{
	term_bytes(t, text, strlen(text));
}

void term_key(struct terminal *t, VTermKey key, VTermModifier modifier)
{
	term_update(t);
	vterm_keyboard_key(t->emulator, key, modifier);
}

void term_paste(struct terminal *t, const char *text)
{
	term_update(t);
	vterm_keyboard_start_paste(t->emulator);
	term_type(t, text);
	vterm_keyboard_end_paste(t->emulator);
}

void term_wheel(struct terminal *t, bool up)
{
	term_update(t);
	vterm_mouse_move(t->emulator, t->rows / 2, t->columns / 2, VTERM_MOD_NONE);
	vterm_mouse_button(t->emulator, up ? 4 : 5, true, VTERM_MOD_NONE);
}

void term_click(struct terminal *t, int row, int column, int button, VTermModifier modifier)
{
	term_update(t);
	vterm_mouse_move(t->emulator, row < 0 ? t->rows + row : row, column, modifier);
	vterm_mouse_button(t->emulator, button, true, modifier);
	vterm_mouse_button(t->emulator, button, false, modifier);
}

void term_resize(struct terminal *t, int rows, int columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	term_update(t);
	t->rows = rows;
	t->columns = columns;
	vterm_set_size(t->emulator, rows, emulated(columns));
	vterm_screen_flush_damage(t->screen);
	assert_int_equal(ioctl(t->fd, TIOCSWINSZ, &size), 0);
}

void term_signal(struct terminal *t, int signal_number)
{
	assert_int_not_equal(t->child, 0);
	assert_int_equal(kill(t->program, signal_number), 0);
}

void term_hang_up(struct terminal *t)
{
	term_update(t);
	if (t->program_fd >= 0)
		close(t->program_fd);
	if (t->fd >= 0)
		close(t->fd);
	t->program_fd = t->fd = -1;
}

/* --- what is to be seen --- */

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((0xf00 >> n & 0xf0) | c);
	return n;
}

VTermScreenCell term_cell(struct terminal *t, int row, int column)
{
	VTermScreenCell cell;
	VTermPos at = { .row = row < 0 ? t->rows + row : row, .col = column };
	memset(&cell, 0, sizeof(cell));
	vterm_screen_get_cell(t->screen, at, &cell);
	return cell;
}

VTermColor term_rgb(const struct terminal *t, VTermColor colour)
{
	vterm_screen_convert_color_to_rgb(t->screen, &colour);
	return colour;
}

/* The row's text. `columns`, if not NULL, gets the column of every byte. */
static char *row_text(struct terminal *t, int row, int *columns)
{
	size_t room = (size_t)t->columns * VTERM_MAX_CHARS_PER_CELL * 4 + 1, n = 0, last = 0;
	t->row_text = realloc(t->row_text, room);
	assert_non_null(t->row_text);
	for (int column = 0; column < t->columns;) {
		VTermScreenCell cell = term_cell(t, row, column);
		size_t begin = n;
		if (cell.chars[0] == 0)
			t->row_text[n++] = ' ';
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
			n += put_utf8(t->row_text + n, cell.chars[i]);
		for (size_t i = begin; columns && i < n; i++)
			columns[i] = column;
		if (cell.chars[0] != 0 && cell.chars[0] != ' ')
			last = n;
		column += cell.width > 1 ? cell.width : 1;
	}
	t->row_text[last] = '\0';
	return t->row_text;
}

const char *term_row(struct terminal *t, int row)
{
	return row_text(t, row, NULL);
}

bool term_find(struct terminal *t, const char *text, int *row, int *column)
{
	int *columns = calloc((size_t)t->columns * VTERM_MAX_CHARS_PER_CELL * 4 + 1,
	    sizeof(*columns));
	bool found = false;
	assert_non_null(columns);
	for (int r = 0; r < t->rows && !found; r++) {
		const char *whole = row_text(t, r, columns), *at = strstr(whole, text);
		if (at) {
			*row = r;
			*column = columns[at - whole];
			found = true;
		}
	}
	free(columns);
	return found;
}

void term_cursor(struct terminal *t, int *row, int *column)
{
	VTermPos at;
	vterm_state_get_cursorpos(vterm_obtain_state(t->emulator), &at);
	*row = at.row;
	*column = at.col;
}

bool term_cursor_visible(const struct terminal *t)
{
	return t->cursor_visible;
}

bool term_alternate(const struct terminal *t)
{
	return t->alternate;
}

bool term_mouse(const struct terminal *t)
{
	return t->mouse;
}

size_t term_bells(const struct terminal *t)
{
	return t->bells;
}

int term_rows(const struct terminal *t)
{
	return t->rows;
}

int term_columns(const struct terminal *t)
{
	return t->columns;
}

const char *term_raw(const struct terminal *t, size_t *n)
{
	*n = t->raw_count;
	return t->raw ? t->raw : "";
}

struct termios term_modes(struct terminal *t)
{
	struct termios modes = t->after;
	if (t->program_fd >= 0)
		tcgetattr(t->program_fd, &modes);
	return modes;
}

struct termios term_modes_before(const struct terminal *t)
{
	return t->before;
}

pid_t term_pid(const struct terminal *t)
{
	return t->program;
}

void term_dump(struct terminal *t)
{
	int row, column;
	term_cursor(t, &row, &column);
	print_message("# %d x %d, cursor %d, %d%s, %s\n", t->rows, t->columns, row, column,
	    t->alternate ? ", alternate screen" : "", t->child ? "running" : "ended");
	for (row = 0; row < t->rows; row++)
		print_message("# |%s|\n", term_row(t, row));
}

/* --- waiting --- */

static bool wait_for(struct terminal *t, term_condition *condition, void *context)
{
	int64_t end = deadline();
	term_update(t);
	while (!condition(t, context)) {
		/* Nothing will change any more. */
		if (t->at_end && !t->child)
			return condition(t, context);
		if (now_ms() > end)
			return false;
		wait_a_little(t, POLLIN);
	}
	return true;
}

__attribute__((format(printf, 4, 5))) static void fail_at(struct terminal *t, const char *file,
    int line, const char *format, ...)
{
	char reason[512];
	va_list args;
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	print_message("# %s:%d: waited in vain: %s\n", file, line, reason);
	term_dump(t);
	_fail(file, line);
}

struct expectation {
	const char *text;
	int row, column;
};

static bool is_shown(struct terminal *t, void *context)
{
	const struct expectation *e = context;
	int row, column;
	return term_find(t, e->text, &row, &column);
}

static bool is_gone(struct terminal *t, void *context)
{
	return !is_shown(t, context);
}

static bool is_in_row(struct terminal *t, void *context)
{
	const struct expectation *e = context;
	return strstr(term_row(t, e->row), e->text) != NULL;
}

static bool is_row(struct terminal *t, void *context)
{
	const struct expectation *e = context;
	return strcmp(term_row(t, e->row), e->text) == 0;
}

static bool is_cursor(struct terminal *t, void *context)
{
	const struct expectation *e = context;
	int row, column;
	term_cursor(t, &row, &column);
	return row == (e->row < 0 ? t->rows + e->row : e->row) && column == e->column;
}

static bool has_ended(struct terminal *t, void *context)
{
	(void)context;
	return !t->child && t->at_end;
}

void term_expect_at(struct terminal *t, const char *text, const char *file, int line)
{
	struct expectation e = { .text = text };
	if (!wait_for(t, is_shown, &e))
		fail_at(t, file, line, "\"%s\"", text);
}

void term_expect_gone_at(struct terminal *t, const char *text, const char *file, int line)
{
	struct expectation e = { .text = text };
	if (!wait_for(t, is_gone, &e))
		fail_at(t, file, line, "\"%s\" to go", text);
}

void term_expect_row_at(struct terminal *t, int row, const char *text, const char *file, int line)
{
	struct expectation e = { .text = text, .row = row };
	if (!wait_for(t, is_in_row, &e))
		fail_at(t, file, line, "\"%s\" in row %d", text, row);
}

void term_expect_row_is_at(struct terminal *t, int row, const char *text, const char *file,
    int line)
{
	struct expectation e = { .text = text, .row = row };
	if (!wait_for(t, is_row, &e))
		fail_at(t, file, line, "row %d to be \"%s\"", row, text);
}

void term_expect_cursor_at(struct terminal *t, int row, int column, const char *file, int line)
{
	struct expectation e = { .row = row, .column = column };
	if (!wait_for(t, is_cursor, &e))
		fail_at(t, file, line, "the cursor at %d, %d", row, column);
}

void term_expect_that_at(struct terminal *t, term_condition *condition, void *context,
    const char *what, const char *file, int line)
{
	if (!wait_for(t, condition, context))
		fail_at(t, file, line, "%s", what);
}

int term_exit_status_at(struct terminal *t, const char *file, int line)
{
	if (!wait_for(t, has_ended, NULL))
		fail_at(t, file, line, "the end of the program");
	return WIFSIGNALED(t->status) ? 128 + WTERMSIG(t->status) : WEXITSTATUS(t->status);
}
