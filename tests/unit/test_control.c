/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding an engine, asking it, and what it keeps of its kill switches. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/control/client.h"
#include "app/control/controls.h"
#include "app/control/kills.h"
#include "app/control/server.h"
#include "app/control/show.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/stats.h"
#include "risk/controls.h"

static char folder[] = "/tmp/gannet-control-XXXXXX";

static void given_a_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	setenv("GANNET_RUNTIME_DIR", folder, 1);
}

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(control_place, .init = given_a_folder, .fini = remove_folder, .timeout = 20);

Test(control_place, refuses_a_name_that_leads_elsewhere)
{
	static const char *const names[] = {"", "..", "../x", "a/b", ".hidden", "-n", "a b", "a\nb", "0123456789012345678901234567890123"};
	struct control_place p;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_lt(control_place(&p, names[i], false), 0, "%s", names[i]);
	cr_expect_eq(control_place(&p, "desk-1.A_b", false), 0);
}

Test(control_place, refuses_a_folder_that_others_may_write_to)
{
	struct control_place p;

	cr_expect_eq(control_place(&p, "a", true), 0, "%s", gn_err_text());
	cr_assert_eq(chmod(folder, 0777), 0);
	cr_expect_eq(control_place(&p, "a", true), -EPERM);
	cr_assert_eq(chmod(folder, 0700), 0);
}

Test(control_place, finds_the_only_engine_and_asks_which_of_several)
{
	struct control_place p, at;

	cr_expect_eq(control_find(&p, NULL), -ENOENT);
	cr_expect_eq(control_find(&p, "a"), -ENOENT);
	cr_assert_eq(control_place(&at, "a", true), 0);
	struct gn_stats *a = gn_stats_create(at.stats, 4);
	cr_assert_eq(control_find(&p, NULL), 0, "%s", gn_err_text());
	cr_expect_str_eq(p.name, "a");
	cr_assert_eq(control_place(&at, "b", true), 0);
	struct gn_stats *b = gn_stats_create(at.stats, 4);
	cr_expect_lt(control_find(&p, NULL), 0);
	cr_expect(strstr(gn_err_text(), "--name"));
	cr_expect_eq(control_find(&p, "b"), 0);
	gn_stats_close(b);
	cr_expect_eq(control_find(&p, "b"), -ENOENT);
	gn_stats_close(a);
}

Test(control_place, takes_no_file_of_a_dead_process_for_an_engine)
{
	struct control_place p;
	char bytes[4096] = {0};

	cr_assert_eq(control_place(&p, "dead", true), 0);
	FILE *f = fopen(p.stats, "w");
	cr_assert_eq(fwrite(bytes, sizeof(bytes), 1, f), 1);
	fclose(f);
	cr_expect_eq(control_find(&p, NULL), -ENOENT);
	cr_expect_eq(control_find(&p, "dead"), -ENOENT);
}

/* A server on its own thread; the handler says back what it was asked. */

static struct control_server *server;
static pthread_t thread;
static _Atomic bool stop;
static _Atomic int n_asked;
static struct control_place place;

static json_t *echo(void *arg, const json_t *request, const struct control_peer *peer)
{
	(void)arg;
	atomic_fetch_add(&n_asked, 1);
	if (json_object_get(request, "fail")) {
		gn_err(0, "as asked");
		return NULL;
	}
	return json_pack("{s:b, s:i, s:s}", "ok", 1, "uid", (int)peer->uid, "who", peer->who);
}

static void *serve(void *arg)
{
	while (!atomic_load(&stop))
		control_server_poll(server, 1000000);
	return arg;
}

static void given_a_server(void)
{
	given_a_folder();
	cr_assert_eq(control_place(&place, "test", true), 0);
	server = control_server_new(place.socket, echo, NULL);
	cr_assert_not_null(server, "%s", gn_err_text());
	pthread_create(&thread, NULL, serve, NULL);
}

static void stop_server(void)
{
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	control_server_free(server);
	cr_expect_neq(access(place.socket, F_OK), 0, "the socket goes with its server");
	remove_folder();
}

static int dial(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(a.sun_path, place.socket, sizeof(a.sun_path));
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* All that comes until the server closes. */
static char *rest(int fd)
{
	static char text[8192];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, text + at, sizeof(text) - 1 - at)) > 0)
		at += (size_t)n;
	text[at] = 0;
	close(fd);
	return text;
}

static void expect_error(const char *sent, size_t bytes, const char *said)
{
	int fd = dial();
	json_error_t e;

	cr_assert_eq(send(fd, sent, bytes, MSG_NOSIGNAL), (ssize_t)bytes);
	shutdown(fd, SHUT_WR);
	char *text = rest(fd);
	cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line: %s", text);
	json_t *j = json_loads(text, 0, &e);
	cr_expect(j && json_is_false(json_object_get(j, "ok")), "%s", text);
	cr_expect(strstr(json_string_value(json_object_get(j, "error")), said), "%s instead of %s", text, said);
	json_decref(j);
}

TestSuite(control_server, .init = given_a_server, .fini = stop_server, .timeout = 30);

Test(control_server, answers_and_knows_who_asks)
{
	json_t *a = control_ask(&place, json_pack("{s:s}", "do", "echo"));

	cr_assert_not_null(a, "%s", gn_err_text());
	cr_expect_eq(json_integer_value(json_object_get(a, "uid")), geteuid());
	char number[16];
	snprintf(number, sizeof(number), "(%u)", geteuid());
	cr_expect(strstr(json_string_value(json_object_get(a, "who")), number) || getenv("SUDO_USER"));
	json_decref(a);
	cr_expect_null(control_ask(&place, json_pack("{s:b}", "fail", 1)));
	cr_expect_str_eq(gn_err_text(), "as asked");
	struct stat st;
	cr_assert_eq(stat(place.socket, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
}

Test(control_server, every_malformed_request_ends_in_one_error)
{
	static char large[CONTROL_REQUEST_BYTES + 100];
	static const char *const bad[] = {"\n", "nonsense\n", "{\n", "{\"do\":}\n", "{\"a\":1,\"a\":2}\n", "{\"do\":\"x\"} more\n", "\x00\n",
		"{\"do\":\"\xff\"}\n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(bad[i], i == 6 ? 2 : strlen(bad[i]), "no JSON object");
	expect_error("[1]\n", 4, "no JSON object");
	expect_error("17\n", 3, "no JSON object");
	expect_error("{\"do\":\"x\"}", 10, "does not end with a new line");
	memset(large, '{', sizeof(large));
	expect_error(large, CONTROL_REQUEST_BYTES, "too long");
	memset(large, ' ', sizeof(large));
	expect_error(large, CONTROL_REQUEST_BYTES, "too long");
	cr_expect_eq(atomic_load(&n_asked), 0);
}

Test(control_server, silent_clients_do_not_keep_others_out)
{
	int fd[CONTROL_CLIENTS_MAX];

	for (uint32_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		fd[i] = dial();
	json_t *a = control_ask(&place, json_pack("{s:s}", "do", "echo")); /* waits until the silent ones are given up */
	cr_expect_not_null(a, "%s", gn_err_text());
	json_decref(a);
	cr_expect(strstr(rest(fd[0]), "did not come in time"));
	for (uint32_t i = 1; i < CONTROL_CLIENTS_MAX; i++)
		close(fd[i]);
}

Test(control_server, a_client_that_goes_away_is_forgotten)
{
	for (int i = 0; i < 100; i++) {
		int fd = dial();
		if (i % 2)
			cr_assert_eq(send(fd, "{\"do\":\"x\"}\n", 11, MSG_NOSIGNAL), 11);
		close(fd);
	}
	json_t *a = control_ask(&place, json_pack("{s:s}", "do", "echo"));
	cr_expect_not_null(a, "%s", gn_err_text());
	json_decref(a);
}

Test(control_server, a_request_may_come_in_pieces)
{
	int fd = dial();

	for (const char *c = "{\"do\":\"echo\"}\n"; *c; c++) {
		cr_assert_eq(send(fd, c, 1, MSG_NOSIGNAL), 1);
		usleep(500);
	}
	cr_expect(strstr(rest(fd), "\"ok\":true"));
}

Test(control_client, says_that_nobody_listens, .init = given_a_folder, .fini = remove_folder)
{
	cr_assert_eq(control_place(&place, "none", true), 0);
	cr_expect_null(control_ask(&place, json_pack("{s:s}", "do", "echo")));
	cr_expect(strstr(gn_err_text(), "none.sock"));
}

static struct kills kills;
static char kills_path[64];

static void given_a_path(void)
{
	given_a_folder();
	snprintf(kills_path, sizeof(kills_path), "%s/x.kills", folder);
}

static void write_kills(const char *text)
{
	FILE *f = fopen(kills_path, "w");

	fputs(text, f);
	fclose(f);
}

TestSuite(control_kills, .init = given_a_path, .fini = remove_folder, .timeout = 20);

Test(control_kills, no_file_is_no_switch)
{
	cr_expect_eq(kills_load(&kills, kills_path), 0);
	cr_expect_eq(kills.n, 0);
	cr_expect_eq(kills_remove(&kills, RISK_ENGINE, ""), 0);
}

Test(control_kills, what_was_thrown_is_there_again_until_it_is_removed)
{
	struct kill_entry e = {.level = RISK_STRATEGY, .name = "maker", .who = "ann(1000)", .reason = "says \"so\"\n", .at_ns = 7};
	static struct kills again;

	cr_assert_eq(kills_load(&kills, kills_path), 0);
	cr_expect_eq(kills_add(&kills, &e), 0, "%s", gn_err_text());
	e.reason[0] = 'X';
	cr_expect_eq(kills_add(&kills, &e), 0, "the first reason stays");
	cr_expect_eq(kills_add(&kills, &(struct kill_entry){.level = RISK_ENGINE, .who = "bob", .reason = "r"}), 0);
	cr_assert_eq(kills_load(&again, kills_path), 0, "%s", gn_err_text());
	cr_expect_eq(again.n, 2);
	const struct kill_entry *found = kills_find(&again, RISK_STRATEGY, "maker");
	cr_assert_not_null(found);
	cr_expect_str_eq(found->reason, "says \"so\"\n");
	cr_expect_eq(found->at_ns, 7);
	cr_expect_null(kills_find(&again, RISK_ACCOUNT, "maker"));
	cr_expect_eq(kills_remove(&again, RISK_STRATEGY, "maker"), 0);
	cr_expect_eq(kills_remove(&again, RISK_ENGINE, ""), 0);
	cr_expect_neq(access(kills_path, F_OK), 0, "no file when nothing is thrown");
	struct stat st;
	cr_expect_eq(kills_add(&again, &e), 0);
	cr_assert_eq(stat(kills_path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
}

Test(control_kills, a_damaged_file_is_refused_and_its_line_named)
{
	static const char good[] = "{\"level\":\"engine\",\"name\":\"\",\"who\":\"a\",\"reason\":\"b\",\"at_ns\":1}\n";
	static const char *const bad[] = {"\n", "nonsense\n", "{}\n", "{\"level\":\"moon\",\"name\":\"\",\"who\":\"a\",\"reason\":\"b\",\"at_ns\":1}\n",
		"{\"level\":\"engine\",\"name\":\"\",\"who\":\"a\",\"reason\":\"b\",\"at_ns\":-1}\n",
		"{\"level\":\"engine\",\"name\":\"\",\"who\":\"a\",\"reason\":\"b\",\"at_ns\":1,\"more\":1}\n",
		"{\"level\":\"strategy\",\"name\":\"0123456789012345678901234567890123456789\",\"who\":\"a\",\"reason\":\"b\",\"at_ns\":1}\n"};
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", good, bad[i]);
		write_kills(text);
		cr_expect_lt(kills_load(&kills, kills_path), 0, "%s", bad[i]);
		cr_expect(strstr(gn_err_text(), "x.kills:2:"), "%s", gn_err_text());
	}
	for (size_t n = 1; n < sizeof(good) - 2; n++) { /* cut short anywhere */
		snprintf(text, sizeof(text), "%.*s", (int)n, good);
		write_kills(text);
		cr_expect_lt(kills_load(&kills, kills_path), 0, "%s", text);
	}
}

Test(control_kills, so_many_and_no_more)
{
	struct kill_entry e = {.level = RISK_INSTRUMENT, .who = "a", .reason = "b"};

	cr_assert_eq(kills_load(&kills, kills_path), 0);
	for (uint32_t i = 0; i < KILLS_MAX; i++) {
		snprintf(e.name, sizeof(e.name), "S%u", i);
		kills.entry[kills.n++] = e;
	}
	snprintf(e.name, sizeof(e.name), "MORE");
	cr_expect_eq(kills_add(&kills, &e), -ENOSPC);
}

Test(control_show, a_scorecard_has_the_lines_that_brought_something_and_their_share)
{
	struct gn_stats *s = gn_stats_create(NULL, 64);
	const char *const words[] = {"line0_pkt", "line0_win", "line0_lead_p50_ns", "line1_pkt", "line1_win", "line1_silent", "line2_pkt",
		"line2_win"};
	const uint64_t values[] = {100, 75, 40, 100, 25, 1, 0, 0};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		gn_stats_set(s, gn_stats_add(s, "feed0", words[i], ""), values[i]);
	gn_stats_seal(s);
	json_t *list = show_lines_json(s);
	cr_assert_eq(json_array_size(list), 2);
	cr_expect_eq(json_number_value(json_object_get(json_array_get(list, 0), "win_pct")), 75);
	cr_expect_eq(json_integer_value(json_object_get(json_array_get(list, 0), "lead_p50_ns")), 40);
	cr_expect(json_is_true(json_object_get(json_array_get(list, 1), "silent")));
	json_decref(list);
	gn_stats_close(s);
}

/* The row of a control. */
static const json_t *control_row(const json_t *list, const char *name)
{
	size_t i;
	json_t *j;

	json_array_foreach(list, i, j)
		if (strcmp(json_string_value(json_object_get(j, "control")), name) == 0)
			return j;
	return NULL;
}

static void expect_control(const json_t *list, const char *name, const char *verdict, const char *keys, const char *text)
{
	const json_t *j = control_row(list, name), *words = json_object_get(j, "config_keys");
	char joined[256] = "";
	size_t i;
	json_t *word;

	cr_assert_not_null(j, "%s", name);
	json_array_foreach(words, i, word)
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s", i ? ", " : "", json_string_value(word));
	cr_expect_str_eq(joined, keys, "%s", name);
	cr_expect_str_eq(json_string_value(json_object_get(j, "what")), text, "%s", name);
	if (strcmp(verdict, "REFUSED") != 0)
		cr_expect_str_eq(json_string_value(json_object_get(j, "verdict")), verdict, "%s", name);
	cr_expect(strncmp(json_string_value(json_object_get(j, "test")), "refuses_", 8) == 0, "%s", name);
	cr_expect_eq(json_object_size(json_object_get(j, "asked_for")), 3, "%s", name);
}

Test(control_controls, what_is_exported_is_what_the_checks_are_made_from)
{
	json_t *list = controls_json(controls_text);

	cr_assert_not_null(list, "%s", gn_err_text());
#define EXPECT(name, verdict, keys, text) expect_control(list, #name, #verdict, keys, text);
	RISK_CONTROLS(EXPECT)
	RISK_STANDING(EXPECT)
#undef EXPECT
	const json_t *owner = control_row(list, "owner");
	cr_expect_str_eq(json_string_value(json_object_get(json_object_get(owner, "asked_for"), "RTS 6")), "15(5)");
	cr_expect(json_is_null(json_object_get(json_object_get(owner, "asked_for"), "FIA")));
	cr_expect(json_object_get(owner, "cost_instructions"));
	json_decref(list);
}

Test(control_controls, a_row_that_lacks_a_cell_is_refused)
{
	static const char head[] = "| control | what | asked | where | key | verdict | test |\n|---|---|---|---|---|---|---|\n";
	static const char *const bad[] = {"| a | b |\n", "| a | b | c | d | e | f | g | h |\n", "| a | b | c | d | e | f | g\n", "|\n"};
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", head, bad[i]);
		cr_expect_null(controls_json(text), "%s", bad[i]);
		cr_expect(strstr(gn_err_text(), "line 3"), "%s", gn_err_text());
	}
	snprintf(text, sizeof(text), "%s| a | b | c | d | e, f | g | h |\n\n| no | table |\n", head);
	json_t *list = controls_json(text);
	cr_assert_eq(json_array_size(list), 1);
	cr_expect_eq(json_array_size(json_object_get(json_array_get(list, 0), "config_keys")), 2);
	json_decref(list);
	list = controls_json("");
	cr_expect_eq(json_array_size(list), 0);
	json_decref(list);
}
