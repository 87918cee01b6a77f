/* SPDX-License-Identifier: MIT */
#include "daemon/schedule.h"

#include "base/num.h"

enum {
    SECOND = 1000,
    NETWORK_FIRST_S = 10,
    OTHER_FIRST_S = 60,
    BACKOFF_MOST_S = 3600,
    BACKOFF_JITTER = 25,
    INTERVAL_JITTER = 10,
    LOCKED_FIRST_S = 2,
    LOCKED_MOST_S = 30,
    REFUSALS_MAX = 2,
    VAIN_FREE = 3,
    HINT_MOST_S = 24 * 3600,
    SPREAD_AT_ONCE = 100,
    SPREAD_STEP_MS = 10,
};

int64_t schedule_jitter(int64_t ms, unsigned percent, uint32_t random)
{
    int64_t reach = ms / 100 * percent;

    return ms - reach + (int64_t)(random % ((uint64_t)reach * 2 + 1));
}

int64_t schedule_spread(size_t nth)
{
    return nth < SPREAD_AT_ONCE ? 0 : (int64_t)(nth - SPREAD_AT_ONCE + 1) * SPREAD_STEP_MS;
}

int64_t schedule_hint(const char *peer)
{
    static const char mark[] = "Suggested Backoff Time:";
    const char *at = strcasestr(peer, mark);
    int64_t ms = 0;

    if (at == NULL)
        return 0;
    for (at += strlen(mark); *at == ' '; at++)
        ;
    for (; ascii_isdigit(*at) && ms < (int64_t)HINT_MOST_S * SECOND; at++)
        ms = ms * 10 + (*at - '0');
    return ms < (int64_t)HINT_MOST_S * SECOND ? ms : (int64_t)HINT_MOST_S * SECOND;
}

/* `first` doubled for each time after the first, `most` at most. */
static int64_t doubled(int64_t first, unsigned times, int64_t most)
{
    int64_t v = first;

    for (unsigned i = 1; i < times && v < most; i++)
        v *= 2;
    return v < most ? v : most;
}

static int64_t at_least(int64_t ms, int64_t least)
{
    return ms < least ? least : ms;
}

static int64_t backoff(const struct schedule *s, const struct err *how, const struct schedule_limits *limits,
                       uint32_t random)
{
    unsigned first = how->code == E_NET ? NETWORK_FIRST_S : OTHER_FIRST_S;
    int64_t ms;

    if (limits->interval_s < first)
        first = limits->interval_s;
    ms = schedule_jitter(doubled((int64_t)first * SECOND, s->failures, (int64_t)BACKOFF_MOST_S * SECOND),
                         BACKOFF_JITTER, random);
    return at_least(ms, schedule_hint(how->peer));
}

static int64_t interval(const struct schedule_limits *limits, uint32_t random)
{
    return schedule_jitter((int64_t)limits->interval_s * SECOND, INTERVAL_JITTER, random);
}

enum schedule_verdict schedule_passed(struct schedule *s, const struct err *how, const struct schedule_limits *limits,
                                      uint32_t random, int64_t *delay_ms_out)
{
    int64_t least = (int64_t)limits->login_delay_s * SECOND;

    if (how->code == E_LOCKED) {
        s->locked++;
        *delay_ms_out = schedule_jitter(doubled(LOCKED_FIRST_S * SECOND, s->locked, LOCKED_MOST_S * SECOND),
                                        BACKOFF_JITTER, random);
        return SCHEDULE_LOCKED;
    }
    s->locked = 0;
    s->failures = how->code == E_NONE ? 0 : s->failures + 1;
    s->refusals = how->code == E_AUTH ? s->refusals + 1 : 0;
    if (s->refusals >= REFUSALS_MAX) {
        *delay_ms_out = 0;
        return SCHEDULE_STOPPED;
    }
    if (how->code == E_NONE || how->code == E_MESSAGE || how->code == E_NOFOLDER) {
        *delay_ms_out = at_least(at_least(interval(limits, random), schedule_hint(how->peer)), least);
        return how->code == E_NONE ? SCHEDULE_WELL : SCHEDULE_PARTLY;
    }
    *delay_ms_out = at_least(backoff(s, how, limits, random), least);
    return SCHEDULE_FAILED;
}

int64_t schedule_news(const struct schedule *s, unsigned interval_s)
{
    return s->vain < VAIN_FREE ? 0 : doubled(SECOND, s->vain - VAIN_FREE + 1, (int64_t)interval_s * SECOND);
}

void schedule_news_passed(struct schedule *s, bool brought_something)
{
    s->vain = brought_something ? 0 : s->vain + 1;
}
