/* SPDX-License-Identifier: MIT */
#include "daemon/control_request.h"

#include "../unit.h"
#include "daemon/http.h"
#include "daemon/status_json.h"

static void requests(void **state)
{
    static const struct {
        const char *line;
        bool good;
        enum control_do what;
        size_t accounts;
        bool oversize;
    } cases[] = {
        { "{\"do\":\"status\"}", true, CONTROL_STATUS, 0, false },
        { "{\"do\":\"stop\",\"future\":[1,{}]}", true, CONTROL_STOP, 0, false },
        { "{\"do\":\"fetch\",\"accounts\":[\"a\",\"b\"],\"oversize\":true}\r", true, CONTROL_FETCH, 2, true },
        { "{\"do\":\"fetch\",\"accounts\":[]}", true, CONTROL_FETCH, 0, false },
        { "", false, 0, 0, false },
        { "status", false, 0, 0, false },
        { "[\"do\",\"stop\"]", false, 0, 0, false },
        { "{}", false, 0, 0, false },
        { "{\"do\":\"STOP\"}", false, 0, 0, false },
        { "{\"do\":3}", false, 0, 0, false },
        { "{\"do\":\"stop\",\"do\":\"status\"}", false, 0, 0, false },
        { "{\"do\":\"stop\"} {\"do\":\"stop\"}", false, 0, 0, false },
        { "{\"do\":\"fetch\",\"accounts\":\"a\"}", false, 0, 0, false },
        { "{\"do\":\"fetch\",\"accounts\":[\"a\",1]}", false, 0, 0, false },
        { "{\"do\":\"fetch\",\"oversize\":\"yes\"}", false, 0, 0, false },
        { "{\"do\":\"fetch\",\"accounts\":[\"a\\u0000b\"]}", false, 0, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct control_request r;
        const char *why = NULL;
        int rc = control_request_parse(slice_str(cases[i].line), &r, &why);

        CASE("%s", cases[i].line);
        CHECK_INT(rc == 0, cases[i].good);
        CHECK(why != NULL);
        if (rc != 0)
            continue;
        CHECK_INT(r.what, cases[i].what);
        CHECK_INT(r.account_count, cases[i].accounts);
        CHECK_INT(r.oversize, cases[i].oversize);
        control_request_release(&r);
    }
}

static void requests_come_back(void **state)
{
    char a[] = "work", b[] = "caf\xc3\xa9 \"x\"";
    char *names[] = { a, b };
    const struct control_request sent = { CONTROL_FETCH, true, true, names, 2 };
    struct control_request got;
    struct buf line = BUF_INIT(CONTROL_REQUEST_MAX);
    const char *why;

    (void)state;
    assert_int_equal(control_request_write(&sent, &line), 0);
    assert_int_equal(line.p[line.len - 1], '\n');
    assert_int_equal(control_request_parse(slice_make(line.p, line.len - 1), &got, &why), 0);
    assert_int_equal(got.what, CONTROL_FETCH);
    assert_true(got.oversize && got.messages);
    assert_int_equal(got.account_count, 2);
    assert_string_equal(got.accounts[0], a);
    assert_string_equal(got.accounts[1], b);
    control_request_release(&got);
    buf_release(&line);
}

static void deep_nesting(void **state)
{
    struct buf line = BUF_INIT(CONTROL_REQUEST_MAX);
    struct control_request r;
    const char *why;

    (void)state;
    while (buf_put_str(&line, "[") == 0)
        continue;
    assert_int_equal(control_request_parse(buf_slice(&line), &r, &why), -1);
    buf_release(&line);
}

static void lines_come_back(void **state)
{
    struct status_line l = { .account = "work",
                             .enabled = true,
                             .live = true,
                             .doing = ACCOUNT_WAITING,
                             .how = WAIT_NOTIFY,
                             .folder = NULL,
                             .connections = 1,
                             .next_pass = 1795225099 };
    struct status_line got;
    json_t *o;

    (void)state;
    l.last = (struct last){ .known = true,
                            .began = 5,
                            .ended = 6,
                            .last_success = 4,
                            .failures = 2,
                            .exit_status = 77,
                            .error_name = "auth",
                            .error = "no",
                            .last_error = "no",
                            .last_error_at = 6,
                            .messages = 1,
                            .bytes = 2,
                            .removed = 3,
                            .skipped = 4,
                            .failed = 5,
                            .set_aside = 6,
                            .messages_today = 7,
                            .bytes_today = 8,
                            .total = { 9, 10, 11, 12, 13, 14 } };
    o = status_to_json(&l);
    assert_non_null(o);
    assert_int_equal(status_from_json(o, &got), 0);
    assert_string_equal(got.account, "work");
    assert_true(got.live && got.enabled && got.doing == ACCOUNT_WAITING && got.how == WAIT_NOTIFY);
    assert_int_equal(got.next_pass, l.next_pass);
    assert_memory_equal(&got.last, &l.last, sizeof(l.last));
    json_decref(o);
}

static void http_requests(void **state)
{
    static const struct {
        const char *bytes;
        int status;
    } cases[] = {
        { "", 0 },
        { "GET /metrics HT", 0 },
        { "GET /metrics HTTP/1.1\r\nHost: x\r\n", 0 },
        { "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200 },
        { "GET /metrics HTTP/1.0\n\n", 200 },
        { "GET /metrics?x=1 HTTP/1.1\r\n\r\n", 200 },
        { "GET / HTTP/1.1\r\n\r\n", 404 },
        { "GET /metricsx HTTP/1.1\r\n\r\n", 404 },
        { "GET /Metrics HTTP/1.1\r\n\r\n", 404 },
        { "HEAD /metrics HTTP/1.1\r\n\r\n", 405 },
        { "POST /metrics HTTP/1.1\r\n\r\n", 405 },
        { "GET /metrics\r\n\r\n", 400 },
        { "GET\r\n\r\n", 400 },
        { "GET \r\n\r\n", 400 },
        { "\r\n\r\n", 400 },
        { "\n\n", 400 },
        { "\x16\x03\x01\x02\n\n", 400 },
    };
    char long_one[1024];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE("%s", cases[i].bytes);
        CHECK_INT(http_judge(slice_str(cases[i].bytes), sizeof(long_one)), cases[i].status);
    }
    memset(long_one, 'a', sizeof(long_one));
    assert_int_equal(http_judge(slice_make(long_one, sizeof(long_one) - 1), sizeof(long_one)), 0);
    assert_int_equal(http_judge(slice_make(long_one, sizeof(long_one)), sizeof(long_one)), 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(requests), cmocka_unit_test(requests_come_back),
                                        cmocka_unit_test(deep_nesting), cmocka_unit_test(lines_come_back),
                                        cmocka_unit_test(http_requests) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
