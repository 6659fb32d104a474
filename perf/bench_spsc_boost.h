/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_SPSC_BOOST_H
#define BENCH_SPSC_BOOST_H

/** @file boost::lockfree::spsc_queue for bench_spsc.c: the one C++ file of the project lies behind this. */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void *boost_new8(uint32_t depth);
void *boost_new64(uint32_t depth);
void boost_free(void *queue, uint32_t bytes);
bool boost_push8(void *queue, const void *msg);
bool boost_pop8(void *queue, void *msg);
bool boost_push64(void *queue, const void *msg);
bool boost_pop64(void *queue, void *msg);

#ifdef __cplusplus
}
#endif

#endif
