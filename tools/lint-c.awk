# SPDX-License-Identifier: MIT
# lint-c.awk - what the compiler cannot see in our C files: who may include whom, where exit() may stand, how long a
# function is; -v banned="strcpy ..." adds the functions of src/base/banned.h. Prints FILE:LINE: MESSAGE for each fault
# and, with -v report=1, also "length FILE:LINE NAME LINES" for each function.
#
# The table of rooms is docs/ARCHITECTURE.md's: a room sees itself and the rooms named here, nothing else.
BEGIN {
    sees["base"] = ""
    sees["wire"] = "base"
    sees["net"] = "base"
    sees["proto"] = "net wire base"
    sees["store"] = "wire base"
    sees["haul"] = "proto store net wire base"
    sees["conf"] = "wire base"
    sees["run"] = "conf haul proto store net wire base"
    sees["daemon"] = "run conf haul proto store net wire base"
    sees["cmd"] = "daemon run conf haul proto store net wire base"
    n_banned = split(banned, word)
    if (!max_function)
        max_function = 70
    if (!max_file)
        max_file = 800
}

function fault(text)
{
    printf "%s:%d: %s\n", FILENAME, FNR, text
    faults++
}

# "src/wire/x.c" and "tests/unit/wire/test_x.c" are both of the room wire; other test code has no room.
function room_of(path, part)
{
    if (match(path, /(^|\/)src\/[^\/]+\//) || match(path, /(^|\/)tests\/unit\/[^\/]+\//)) {
        split(substr(path, RSTART, RLENGTH), part, "/")
        return part[length(part) - 1]
    }
    return ""
}

# The line without comments, strings and character constants; remembers an open /* over lines.
function code_of(line, out, i, c, two, quote)
{
    out = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                i++
            }
        } else if (quote) {
            if (c == "\\")
                i++
            else if (c == quote)
                quote = ""
        } else if (two == "/*") {
            in_comment = 1
            i++
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            quote = c
            out = out c c
        } else {
            out = out c
        }
    }
    return out
}

function check_include(line, name, target, allowed)
{
    name = line
    sub(/^[ \t]*#[ \t]*include[ \t]*[<"]/, "", name)
    sub(/[>"].*$/, "", name)
    if (in_src && first_include == "") {
        first_include = name
        if (FILENAME ~ /\.c$/ && line ~ /</)
            fault("the first include is <" name ">; a .c file includes its own header (or base/base.h) first")
    }
    if (name ~ /^openssl\// && room != "" && FILENAME !~ /(^|\/)src\/net\/(tls[^\/]*|digest)\.[ch]$/ && in_src)
        fault("openssl/*.h belongs in src/net/tls*.c and digest.c alone")
    if (name ~ /^curl\// && in_src && FILENAME !~ /(^|\/)src\/net\/https\.c$/)
        fault("curl/*.h belongs in src/net/https.c alone")
    if (name == "gsasl.h" && in_src && FILENAME !~ /(^|\/)src\/proto\/sasl_library\.c$/)
        fault("gsasl.h belongs in src/proto/sasl_library.c alone")
    if (name == "confuse.h" && in_src && room != "conf")
        fault("confuse.h belongs in src/conf/ alone")
    if (name == "sqlite3.h" && in_src && FILENAME !~ /(^|\/)src\/store\/journal([^\/]*\.c|_int\.h)$/)
        fault("sqlite3.h belongs in src/store/journal*.c and journal_int.h alone")
    if (line ~ /</ || name !~ /\//)
        return
    target = name
    sub(/\/.*/, "", target)
    if (!(target in sees) || room == "" || !(room in sees))
        return
    allowed = " " room " " sees[room] " "
    if (index(allowed, " " target " ") == 0)
        fault(room "/ may not see " target "/ (" name "); it sees: " (sees[room] == "" ? "nothing else" : sees[room]))
    else if (target != room && name ~ /_int\.h$/)
        fault(name " is for " target "/ alone")
}

FNR == 1 {
    if (NR > 1)
        end_of_file()
    in_comment = 0
    room = room_of(FILENAME)
    in_src = FILENAME ~ /(^|\/)src\//
    first_include = ""
    opened = 0
    head = ""
    spdx = 0
    last_file = FILENAME
    if (in_src && !(room in sees))
        fault("src/" room "/ is not a room of the table in tools/lint-c.awk and docs/ARCHITECTURE.md")
}

FNR <= 3 && /SPDX-License-Identifier: MIT/ {
    spdx = 1
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ && !in_comment {
    check_include($0)
    next
}

# Bytes, so a little lenient where letters are not ASCII.
length($0) > 160 || (length($0) > 120 && $0 !~ /[^ -~\t]/) {
    if (FILENAME ~ /(^|\/)src\//)
        fault("over 120 columns")
}

{
    code = code_of($0)
    last_line = FNR
    if (code ~ /^#/)
        next
    if (in_src && code ~ /(^|[^A-Za-z0-9_])v?fork[ \t]*\(/)
        fault("fork() never: threads are running, use posix_spawn()")
    if (in_src && room != "cmd" && code ~ /(^|[^A-Za-z0-9_])(_exit|_Exit|exit|quick_exit)[ \t]*\(/)
        fault("no exit() below cmd/: return an error and let the command decide")
    if (in_src && FILENAME !~ /banned\.h$/)
        for (i = 1; i <= n_banned; i++)
            if (code ~ ("(^|[^A-Za-z0-9_])" word[i] "[ \t]*\\("))
                fault(word[i] "() is banned; src/base/banned.h says what to call instead")
    if (in_src && $0 ~ /(TODO|FIXME|XXX)/)
        fault("no TODO in the tree: do it, or open an issue")
    # Linux braces, kept by clang-format: a function's own braces alone stand in the first column.
    if (code == "{") {
        opened = FNR
        name = head
        sub(/[ \t]*\(.*/, "", name)
        sub(/.*[ \t*]/, "", name)
    } else if (code ~ /^}/ && opened) {
        lines = FNR - opened + 1
        if (report)
            printf "length %s:%d %s %d\n", FILENAME, opened - 1, name, lines
        if (in_src && lines > max_function)
            fault(name "() is " lines " lines long; about a screen (" max_function ") is the limit")
        opened = 0
    } else if (code ~ /^[A-Za-z]/ && code ~ /\(/) {
        head = code
    }
}

function end_of_file()
{
    if (!spdx) {
        printf "%s:1: no SPDX-License-Identifier: MIT in the first lines\n", last_file
        faults++
    }
    if (last_file ~ /(^|\/)src\// && last_line > max_file) {
        printf "%s:%d: over %d lines; give a part of it a name and a file of its own\n", last_file, last_line, max_file
        faults++
    }
}

END {
    if (NR > 0)
        end_of_file()
    exit faults > 0
}
