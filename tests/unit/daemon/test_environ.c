/* SPDX-License-Identifier: MIT */
#include "daemon/environ.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "../unit.h"

struct message {
    struct nlmsghdr head;
    struct rtmsg route;
};

static struct message route(uint16_t type, unsigned char kind, unsigned char table, unsigned flags)
{
    return (struct message){ .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)), .nlmsg_type = type },
                             .route = { .rtm_type = kind, .rtm_table = table, .rtm_flags = flags } };
}

static void test_what_is_a_change(void **state)
{
    const struct message ways[] = {
        route(RTM_NEWROUTE, RTN_UNICAST, RT_TABLE_MAIN, 0),
        route(RTM_DELROUTE, RTN_UNICAST, RT_TABLE_MAIN, 0),
        route(RTM_NEWADDR, 0, 0, 0),
        route(RTM_DELADDR, 0, 0, 0),
    };
    const struct message others[] = {
        route(RTM_NEWROUTE, RTN_LOCAL, RT_TABLE_LOCAL, 0),
        route(RTM_NEWROUTE, RTN_MULTICAST, RT_TABLE_LOCAL, 0),
        route(RTM_NEWROUTE, RTN_UNICAST, RT_TABLE_LOCAL, 0),
        route(RTM_NEWROUTE, RTN_UNICAST, RT_TABLE_MAIN, RTM_F_CLONED),
        route(RTM_NEWNEIGH, RTN_UNICAST, RT_TABLE_MAIN, 0),
    };
    struct message two[2] = { others[0], ways[0] };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        assert_true(environ_is_change(&ways[i], sizeof(ways[i])));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(environ_is_change(&others[i], sizeof(others[i])));
    assert_true(environ_is_change(two, sizeof(two)));
    /* Cut off, as nobody would send it. */
    assert_false(environ_is_change(&ways[0], sizeof(ways[0]) - 1));
    assert_false(environ_is_change(&ways[0], 3));
    two[0].head.nlmsg_len = NLMSG_LENGTH(2);
    two[0].head.nlmsg_type = RTM_NEWROUTE;
    assert_false(environ_is_change(two, NLMSG_LENGTH(2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_is_a_change) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
