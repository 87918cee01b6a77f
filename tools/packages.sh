# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# packages.sh - what mailhaul needs from the system, and how to get it without a question. Sourced by
# contrib/quickstart, tests/run and .ci/run; prints nothing by itself except what the package manager says.
#
#   packages_find_manager            sets $manager to apt-get, dnf, apk, pacman or nothing
#   packages_missing GROUP...        the packages of these groups that are not installed: build demo tests mta
#                                    kerberos node ci
#   packages_by_hand PACKAGE...      prints the command that a person would give to install them
#   packages_root                    sets $sudo; false where neither root nor sudo is to be had
#   packages_install PACKAGE...      installs them; starts and enables no service
#   packages_install_beside PKG...   the same, but not when another package would have to go for it (mta: one mail server
#                                    is left alone when another is here already)
#   packages_lift_guard              for the caller's trap: undoes what a broken installation may have left
#
# Debian 12 is what all this is tested on; the other names are from those systems' package lists.
manager=
sudo=
guard=

packages_find_manager() {
    for manager in apt-get dnf apk pacman; do
        command -v "$manager" >/dev/null 2>&1 && return 0
    done
    manager=
}

packages_of() {
    case $manager:$1 in
        apt-get:build)
            echo gcc make autoconf automake pkg-config libc6-dev
            echo libssl-dev libconfuse-dev libsqlite3-dev zlib1g-dev libjansson-dev libidn2-dev
            echo libgsasl-dev libcurl4-openssl-dev
            ;;
        apt-get:demo) echo openssl dovecot-core dovecot-imapd dovecot-pop3d ;;
        apt-get:tests)
            echo libcmocka-dev binutils openssl python3 python3-pytest python3-pytest-xdist
            echo dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-submissiond
            ;;
        apt-get:kerberos) echo dovecot-gssapi krb5-kdc krb5-admin-server krb5-user ;;
        apt-get:node | dnf:node | apk:node | pacman:node) echo nodejs npm ;;
        apt-get:mta | dnf:mta | apk:mta | pacman:mta) echo postfix ;;
        apt-get:ci) echo clang clang-format shellcheck codespell mandoc xz-utils ;;
        dnf:build)
            echo gcc make autoconf automake pkgconf-pkg-config
            echo openssl-devel libconfuse-devel sqlite-devel zlib-devel jansson-devel libidn2-devel libgsasl-devel libcurl-devel
            ;;
        dnf:demo) echo openssl dovecot ;;
        dnf:tests)
            echo libcmocka-devel binutils openssl python3 python3-pytest python3-pytest-xdist
            echo dovecot libasan libubsan libtsan python3-prometheus_client
            ;;
        dnf:ci) echo clang clang-tools-extra ShellCheck codespell mandoc xz ;;
        apk:build)
            echo build-base linux-headers coreutils autoconf automake pkgconf
            echo openssl-dev confuse-dev sqlite-dev zlib-dev jansson-dev libidn2-dev libgsasl-dev curl-dev
            ;;
        apk:demo) echo openssl dovecot dovecot-pop3d ;;
        apk:tests)
            echo cmocka-dev binutils openssl python3 py3-pytest py3-pytest-xdist
            echo dovecot dovecot-pop3d dovecot-lmtpd dovecot-submissiond
            ;;
        apk:ci) echo clang clang-extra-tools shellcheck codespell mandoc xz ;;
        pacman:build) echo base-devel openssl confuse sqlite zlib jansson libidn2 gsasl curl ;;
        pacman:demo) echo openssl dovecot ;;
        pacman:tests) echo cmocka openssl dovecot python python-pytest python-pytest-xdist python-prometheus_client ;;
        pacman:ci) echo clang shellcheck codespell mandoc xz ;;
    esac
}

packages_missing() {
    for group in "$@"; do
        for package in $(packages_of "$group"); do
            case $manager in
                apt-get) [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ;;
                dnf) rpm -q "$package" >/dev/null 2>&1 ;;
                apk) apk info -e "$package" >/dev/null 2>&1 ;;
                pacman) pacman -Qq "$package" >/dev/null 2>&1 ;;
            esac || echo "$package"
        done
    done | sort -u
}

packages_by_hand() {
    case $manager in
        apt-get) echo "apt-get update && apt-get install $*" ;;
        dnf) echo "dnf install $*" ;;
        apk) echo "apk add $*" ;;
        pacman) echo "pacman -S --needed $*" ;;
    esac
}

packages_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null 2>&1 || return 1
    sudo=sudo
    [ -t 0 ] || sudo="sudo -n"
    $sudo true
}

# Debian starts a service as soon as its package is installed, unless policy-rc.d forbids it for the while.
packages_raise_guard() {
    [ "$manager" = apt-get ] || return 0
    if [ -x /usr/sbin/policy-rc.d ]; then
        /usr/sbin/policy-rc.d dovecot start 2 >/dev/null 2>&1
        [ $? -ne 101 ] || return 0
    fi
    if [ -e /usr/sbin/policy-rc.d ]; then
        $sudo mv /usr/sbin/policy-rc.d /usr/sbin/policy-rc.d.mailhaul-saved || return 1
        guard=moved
    else
        guard=made
    fi
    printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null && $sudo chmod 755 /usr/sbin/policy-rc.d
}

packages_lift_guard() {
    case $guard in
        moved) $sudo mv -f /usr/sbin/policy-rc.d.mailhaul-saved /usr/sbin/policy-rc.d ;;
        made) $sudo rm -f /usr/sbin/policy-rc.d ;;
    esac
    guard=
}

# A mail server that came in with us is not to run at the next start of the machine either.
packages_keep_off() {
    name=$1
    shift
    if command -v systemctl >/dev/null 2>&1; then
        $sudo systemctl disable "$@"
    fi
    # Not in the PATH of an ordinary user.
    if [ -x /usr/sbin/update-rc.d ]; then
        $sudo /usr/sbin/update-rc.d "$name" disable
    fi
    return 0
}

packages_install() {
    packages_raise_guard || return 1
    case $manager in
        apt-get)
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
                $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
                    ${packages_beside:+--no-remove} "$@"
            ;;
        dnf) $sudo dnf -q install -y "$@" ;;
        apk) $sudo apk add -q "$@" ;;
        pacman) $sudo pacman -S --needed --noconfirm "$@" ;;
    esac
    installed=$?
    packages_lift_guard
    # Also after a failure: the server may be among what was installed before it.
    case " $* " in
        *" dovecot-core "*) packages_keep_off dovecot dovecot.service dovecot.socket ;;
        *" postfix "*) packages_keep_off postfix postfix.service ;;
        *" krb5-kdc "*)
            packages_keep_off krb5-kdc krb5-kdc.service
            packages_keep_off krb5-admin-server krb5-admin-server.service
            ;;
    esac
    return $installed
}

packages_install_beside() {
    if [ "$manager" = apt-get ]; then
        echo "postfix postfix/main_mailer_type select No configuration" | $sudo debconf-set-selections || return 1
    fi
    packages_beside=1
    packages_install "$@"
    installed=$?
    packages_beside=
    return $installed
}
