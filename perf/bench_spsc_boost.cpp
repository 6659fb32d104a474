/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_spsc_boost.h"

#include <boost/lockfree/spsc_queue.hpp>
#include <cstring>

struct message8 {
	uint64_t word[1];
};
struct message64 {
	uint64_t word[8];
};
using queue8 = boost::lockfree::spsc_queue<message8>;
using queue64 = boost::lockfree::spsc_queue<message64>;

void *boost_new8(uint32_t depth)
{
	return new queue8(depth);
}

void *boost_new64(uint32_t depth)
{
	return new queue64(depth);
}

void boost_free(void *queue, uint32_t bytes)
{
	if (bytes == 8)
		delete static_cast<queue8 *>(queue);
	else
		delete static_cast<queue64 *>(queue);
}

bool boost_push8(void *queue, const void *msg)
{
	return static_cast<queue8 *>(queue)->push(*static_cast<const message8 *>(msg));
}

bool boost_pop8(void *queue, void *msg)
{
	return static_cast<queue8 *>(queue)->pop(*static_cast<message8 *>(msg));
}

bool boost_push64(void *queue, const void *msg)
{
	return static_cast<queue64 *>(queue)->push(*static_cast<const message64 *>(msg));
}

bool boost_pop64(void *queue, void *msg)
{
	return static_cast<queue64 *>(queue)->pop(*static_cast<message64 *>(msg));
}
