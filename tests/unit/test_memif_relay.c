/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/nic/memif_relay.h"
#include "dataplane/runtime/err.h"

#define MSG_BYTES 128u

enum { ACK = 1, HELLO = 2, INIT = 3, ADD_REGION = 4, CONNECT = 6, CONNECTED = 7, DISCONNECT = 8 };

static char dir[] = "/tmp/gannet-relay-XXXXXX";
static char path[64], line[160];
static struct memif_relay *relay;
static atomic_int n_parked, n_resumed;
static atomic_int driver_seen; /* what the driver had seen of its peer's end when its queues were parked */
static int driver_end = -1;

static void on_park(void *arg)
{
	struct pollfd p = {.fd = driver_end, .events = POLLIN};

	(void)arg;
	atomic_store(&driver_seen, driver_end >= 0 ? poll(&p, 1, 50) : -1);
	atomic_fetch_add(&n_parked, 1);
}

static void on_resume(void *arg)
{
	(void)arg;
	atomic_fetch_add(&n_resumed, 1);
}

static void given_a_directory(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
}

static void remove_directory(void)
{
	memif_relay_free(relay);
	unlink(path);
	cr_expect_eq(rmdir(dir), 0, "files are left behind");
}

TestSuite(memif_relay, .init = given_a_directory, .fini = remove_directory, .timeout = 30);

static struct memif_relay *open_as(const char *role)
{
	snprintf(line, sizeof(line), "net_memif0,role=%s,id=3,socket=%s,socket-abstract=no", role, path);
	relay = memif_relay_new(&(struct memif_relay_config){line, on_park, on_resume, NULL});
	return relay;
}

static struct sockaddr_un file_address(const char *file)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", file);
	return a;
}

/* Where the driver is told to go: the socket option of the relay's line. */
static struct sockaddr_un driver_address(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const char *l = memif_relay_line(relay), *at = strstr(l, ",socket=");
	bool abstract = strstr(l, ",socket-abstract=yes") != NULL;

	cr_assert(at);
	snprintf(a.sun_path + abstract, sizeof(a.sun_path) - abstract, "%.*s", (int)strcspn(at + 8, ","), at + 8);
	return a;
}

/* A name of the abstract kind ends at its last character. */
static socklen_t address_bytes(const struct sockaddr_un *a)
{
	return a->sun_path[0] ? (socklen_t)sizeof(*a)
			      : (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->sun_path + 1));
}

static int listen_at(struct sockaddr_un a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&a, address_bytes(&a)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

static int connect_to(struct sockaddr_un a)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&a, address_bytes(&a)), 0);
	return fd;
}

static int accept_from(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	cr_assert_geq(fd, 0);
	return fd;
}

static void say_with(int fd, uint16_t type, int file)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	uint8_t bytes[MSG_BYTES] = {[2] = (uint8_t)(type * 3)};
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};

	memcpy(bytes, &type, sizeof(type));
	if (file >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&head) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&head)), &file, sizeof(int));
	}
	cr_assert_eq(sendmsg(fd, &head, MSG_NOSIGNAL), MSG_BYTES);
}

static void say(int fd, uint16_t type)
{
	say_with(fd, type, -1);
}

/* The type of the next message, 0 at the end; the file that came with it. */
static int hear_with(int fd, int *file)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t bytes[MSG_BYTES] = {0};
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &head, MSG_CMSG_CLOEXEC);
	uint16_t type;

	if (n == 0)
		return 0;
	cr_assert_eq(n, MSG_BYTES);
	memcpy(&type, bytes, sizeof(type));
	cr_assert_eq(bytes[2], (uint8_t)(type * 3), "the rest of the message is as it was");
	if (file && head.msg_controllen > 0)
		memcpy(file, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof(int));
	return type;
}

static int hear(int fd)
{
	return hear_with(fd, NULL);
}

static void until(atomic_int *n, int want)
{
	for (int i = 0; i < 2000 && atomic_load(n) < want; i++)
		usleep(5000);
	cr_assert_eq(atomic_load(n), want);
}

/* peer and driver of a relay that is a server, their handshake done. */
static void given_a_joined_server(int *peer, int *driver)
{
	cr_assert(open_as("server"), "%s", gn_err_text());
	int listener = listen_at(driver_address());

	*peer = connect_to(file_address(path));
	*driver = driver_end = accept_from(listener);
	say(*driver, HELLO);
	cr_assert_eq(hear(*peer), HELLO);
	say(*peer, CONNECT);
	cr_assert_eq(hear(*driver), CONNECT);
	say(*driver, CONNECTED);
	cr_assert_eq(hear(*peer), CONNECTED);
	cr_assert(memif_relay_attached(relay));
	close(listener);
	unlink(driver_address().sun_path);
}

Test(memif_relay, the_line_for_the_driver_has_another_socket_and_all_other_options)
{
	snprintf(line, sizeof(line), "net_memif0,socket=%s,role=server,socket-abstract=no,rsize=11", path);
	relay = memif_relay_new(&(struct memif_relay_config){line, on_park, on_resume, NULL});
	cr_assert(relay, "%s", gn_err_text());
	const char *l = memif_relay_line(relay);
	cr_assert_eq(strncmp(l, "net_memif0,role=server,rsize=11,socket=", 39), 0, "%s", l);
	cr_assert(strstr(l, "/x.driver,socket-abstract=no"), "%s", l);
}

Test(memif_relay, messages_and_their_files_pass_both_ways)
{
	int file = memfd_create("gannet-test", MFD_CLOEXEC), got = -1;
	struct stat a, b;

	cr_assert(open_as("client"), "%s", gn_err_text());
	int listener = listen_at(file_address(path)), driver = connect_to(driver_address());
	int peer = accept_from(listener);
	say(peer, HELLO);
	cr_assert_eq(hear(driver), HELLO);
	say_with(driver, ADD_REGION, file);
	cr_assert_eq(hear_with(peer, &got), ADD_REGION);
	cr_assert_eq(fstat(file, &a), 0);
	cr_assert_eq(fstat(got, &b), 0);
	cr_assert_eq(a.st_ino, b.st_ino);
	say(peer, ACK);
	cr_assert_eq(hear(driver), ACK);
	cr_assert_eq(atomic_load(&n_parked), 0);
}

Test(memif_relay, the_queues_stand_still_before_the_driver_hears_that_its_peer_has_died)
{
	int peer, driver;

	given_a_joined_server(&peer, &driver);
	close(peer);
	until(&n_parked, 1);
	cr_assert_eq(atomic_load(&driver_seen), 0, "the driver heard of it first");
	cr_assert_eq(hear(driver), 0);
	usleep(50000);
	cr_assert_eq(atomic_load(&n_resumed), 0, "the driver has not let go yet");
	close(driver);
	until(&n_resumed, 1);
}

Test(memif_relay, so_they_do_when_the_peer_takes_its_leave)
{
	int peer, driver;

	given_a_joined_server(&peer, &driver);
	say(peer, DISCONNECT);
	until(&n_parked, 1);
	cr_assert_eq(atomic_load(&driver_seen), 0);
	cr_assert_eq(hear(driver), DISCONNECT);
	close(driver);
	until(&n_resumed, 1);
	cr_assert_eq(hear(peer), 0);
}

Test(memif_relay, after_the_handshake_anything_but_an_acknowledgement_is_a_farewell)
{
	int peer, driver;

	given_a_joined_server(&peer, &driver);
	say(peer, ACK);
	cr_assert_eq(hear(driver), ACK);
	cr_assert_eq(atomic_load(&n_parked), 0);
	cr_assert_eq(send(peer, "odd", 3, 0), 3);
	until(&n_parked, 1);
	cr_assert_eq(hear(driver), 0, "a message of another length goes no further");
	close(driver);
	until(&n_resumed, 1);
}

Test(memif_relay, a_driver_that_lets_go_by_itself_is_not_waited_for)
{
	int peer, driver;

	given_a_joined_server(&peer, &driver);
	close(driver);
	cr_assert_eq(hear(peer), 0);
	cr_assert_eq(atomic_load(&n_parked), 0);
}

Test(memif_relay, nothing_reaches_a_driver_that_is_being_stopped)
{
	int peer, driver;

	given_a_joined_server(&peer, &driver);
	cr_assert(memif_relay_hold(relay, false));
	close(peer);
	struct pollfd p = {.fd = driver, .events = POLLIN};
	cr_assert_eq(poll(&p, 1, 100), 0);
	close(driver); /* stopped, and perhaps started again over another connection */
	memif_relay_release(relay);
	for (int i = 0; i < 2000 && memif_relay_attached(relay); i++)
		usleep(5000);
	cr_assert_not(memif_relay_attached(relay));
	cr_assert_eq(atomic_load(&n_parked), 0, "the new connection is none of the old one's business");
}

Test(memif_relay, a_driver_waits_for_a_server_that_comes_late_and_returns)
{
	cr_assert(open_as("client"), "%s", gn_err_text());
	int driver = connect_to(driver_address());
	for (int round = 0; round < 3; round++) {
		usleep(100000);
		int listener = listen_at(file_address(path)), peer = accept_from(listener);
		say(peer, HELLO);
		cr_assert_eq(hear(driver), HELLO);
		close(peer);
		close(listener);
		unlink(path);
		cr_assert_eq(hear(driver), 0);
		close(driver);
		until(&n_resumed, round + 1);
		driver = connect_to(driver_address());
	}
}

Test(memif_relay, a_server_takes_the_place_of_one_that_was_killed_not_of_one_that_lives)
{
	close(listen_at(file_address(path))); /* the file stays */
	cr_assert(open_as("server"), "%s", gn_err_text());
	struct memif_relay *first = relay;
	cr_assert_null(open_as("server"));
	cr_assert(strstr(gn_err_text(), path) && strstr(gn_err_text(), "in use"), "%s", gn_err_text());
	relay = first;
	close(connect_to(file_address(path)));
}

Test(memif_relay, sockets_that_cannot_be_are_one_clear_error)
{
	char deep[240];

	snprintf(line, sizeof(line), "net_memif0,role=server,socket=%s/no/such/x,socket-abstract=no", dir);
	cr_assert_null(memif_relay_new(&(struct memif_relay_config){line, on_park, on_resume, NULL}));
	cr_assert(strstr(gn_err_text(), "no/such/x") && strstr(gn_err_text(), "No such file"), "%s", gn_err_text());
	snprintf(deep, sizeof(deep), "net_memif0,role=server,socket=/tmp/%0150d,socket-abstract=no", 0);
	cr_assert_null(memif_relay_new(&(struct memif_relay_config){deep, on_park, on_resume, NULL}));
	cr_assert(strstr(gn_err_text(), "characters at most"), "%s", gn_err_text());
	memif_relay_free(NULL);
}
