/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_core.h"

#define NS_PER_MS UINT64_C(1000000)
#define INDICATIONS 8u /* imbalance messages an instrument gets during its opening auction */

static uint32_t reference_e4(const struct exchange *x, gn_inst inst)
{
	return x->flow ? flow_fair_e4(x->flow, inst) : x->px_first_e4[inst];
}

static char variation_letter(uint32_t px_e4, uint32_t reference)
{
	uint64_t off = px_e4 > reference ? px_e4 - reference : reference - px_e4;
	uint64_t pct = reference ? off * 100 / reference : 100;

	if (!px_e4)
		return ' ';
	if (pct < 1)
		return 'L';
	if (pct < 10)
		return (char)('0' + pct);
	return pct < 20 ? 'A' : pct < 30 ? 'B' : 'C';
}

static void indicate(struct exchange *x, gn_inst inst)
{
	uint32_t reference = reference_e4(x, inst);
	struct match_indication at = match_indicate(x->match, inst, reference);
	struct gn_md md = {.kind = GN_MD_IMBALANCE};

	md.imbalance.paired = at.paired;
	md.imbalance.imbalance = at.imbalance;
	md.imbalance.far_e4 = md.imbalance.near_e4 = at.px_e4;
	md.imbalance.reference_e4 = reference;
	md.imbalance.direction = !at.paired ? 'O' : at.imbalance_side == GN_BUY ? 'B' : at.imbalance_side == GN_SELL ? 'S' : 'N';
	md.imbalance.cross = 'O';
	md.imbalance.variation = variation_letter(at.px_e4, reference);
	exchange_publish(x, inst, &md);
}

static void cross(struct exchange *x, gn_inst inst)
{
	struct match_indication at = match_cross(x->match, inst, reference_e4(x, inst));
	struct gn_md md = {.kind = GN_MD_CROSS, .code = 'O'};

	md.order.px.e9 = at.px_e4 * GN_PX_E9_PER_E4;
	md.order.qty = (gn_qty)at.paired;
	md.order.aux2 = match_number(x->match);
	exchange_publish(x, inst, &md);
	order_port_after_cross(&x->orders, inst);
	exchange_state_set(x, inst, MATCH_TRADING, "    ");
}

/* instruments take turns, so that no unit of work is long; round r of the indications is due after r/8 of the auction */
bool exchange_opening(struct exchange *x)
{
	uint64_t length_ns = x->config.opening_cross_ms * NS_PER_MS;
	uint64_t round = x->next_inst / x->n_symbols;
	gn_inst inst = x->next_inst % x->n_symbols;

	if (x->now_ns - x->phase_ns < length_ns * round / INDICATIONS)
		return false;
	if (round < INDICATIONS) {
		indicate(x, inst);
		x->next_inst++;
		return true;
	}
	if (inst == 0)
		exchange_publish_event(x, 'Q');
	cross(x, inst);
	if (inst + 1 < x->n_symbols) {
		x->next_inst++;
		return true;
	}
	x->phase = EXCHANGE_OPEN;
	x->phase_ns = x->now_ns;
	return true;
}
