"""The words a statement of ISC dhcpd may begin with.

The lists are closed: 4.4.3-P1 is the last release there will be (end of life announced in
2022), and a word that is none of these is a damaged one, of which nobody knows what it hid.
Sources: confpars.c (``parse_statement``), parse.c (``parse_executable_statement``),
stables.c (``server_options``), dhcpd.conf(5), dhcp-eval(5).
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


EXECUTABLE = _words(
    """
    add allow append break case db-time-format default define deny eval execute if elsif else
    ignore let log on option parse-vendor-option prepend return send set supersede switch unset
    """
)
"""What dhcpd evaluates for a client; it may stand in every block, also in records of leases."""

_SERVER_OPTIONS = _words(
    """
    abandon-lease-time adaptive-lease-time-threshold allow-booting allow-bootp always-broadcast
    always-reply-rfc1048 authoritative bind-local-address6 boot-unknown-clients
    check-secs-byte-order client-updates ddns-domainname ddns-dual-stack-mixed-mode
    ddns-guard-id-must-match ddns-hostname ddns-local-address4 ddns-local-address6
    ddns-other-guard-is-dynamic ddns-rev-domainname ddns-ttl ddns-update-style ddns-updates
    declines default-lease-time delayed-ack dhcp-cache-threshold dhcpv6-lease-file-name
    dhcpv6-pid-file-name dhcpv6-set-tee-times do-forward-updates do-reverse-updates
    dont-use-fsync duplicates dynamic-bootp dynamic-bootp-lease-cutoff dynamic-bootp-lease-length
    echo-client-id filename fqdn-reply get-lease-hostnames ignore-client-uids
    infinite-is-reserved ldap-base-dn ldap-debug-file ldap-dhcp-server-cn ldap-gssapi-keytab
    ldap-gssapi-principal ldap-init-retry ldap-method ldap-password ldap-port ldap-referrals
    ldap-server ldap-ssl ldap-tls-ca-dir ldap-tls-ca-file ldap-tls-cert ldap-tls-ciphers
    ldap-tls-crlcheck ldap-tls-key ldap-tls-randfile ldap-tls-reqcert ldap-username lease-file-name
    leasequery limit-addrs-per-ia limit-prefs-per-ia limited-broadcast-address local-address
    local-address6 local-port log-facility log-threshold-high log-threshold-low max-ack-delay
    max-lease-time min-lease-time min-secs next-server omapi-key omapi-port one-lease-per-client
    persist-eui-64-leases pid-file-name ping-check ping-cltt-secs ping-timeout ping-timeout-ms
    preferred-lifetime prefix-length-mode release-on-roam remote-port server-id-check server-name
    site-option-space stash-agent-options update-conflict-detection update-optimization
    update-static-leases use-eui-64 use-host-decl-names use-lease-addr-for-default-route
    vendor-option-space
    """
)

PARAMETERS = (
    EXECUTABLE
    | _SERVER_OPTIONS
    | _words(
        """
        failover fixed-address6 fixed-prefix6 group host-identifier interface lease-id-format no
        not prefix6
        range6 server-duid server-identifier subclass uid
    """
    )
)
"""What may stand in ``dhcpd.conf`` and is neither a block nor an address that is read here."""
