"""What the README's table says is supported, word by word, and the test that shows it: "file::function" below tests/, or below tests/interop/ without a folder. For
test_docs.py, which holds this against the table in both directions. A row's name is how it begins; "client: x" and "server: x" are words of those columns."""

NTLM, DOMAIN, KERBEROS = "test_ntlm_peers.py::", "test_domain_accounts.py::", "test_kerberos_peers.py::"
NEGOTIATE, SCHANNEL, CREDSSP = "test_negotiate_peers.py::", "unit/schannel/", "unit/credssp/"
HTTP, ACCESS, FUNCTIONS = "test_httpauth.py::", "unit/access/", "test_lsa_functions.py::"

SHOWN = {
    "NTLM:": {
        "NTLMv2": NTLM + "test_conversation", "MIC": NTLM + "test_integrity_code_over_the_messages",
        "channel and service binding": HTTP + "test_service_binding", "sign": NTLM + "test_integrity_without_confidentiality",
        "seal": NTLM + "test_altered_and_repeated_messages", "datagram": NTLM + "test_datagrams_of_a_gss_client",
        "export": NTLM + "test_export_and_import_in_mid_conversation",
        "client: yes": NTLM + "test_key_combinations_of_a_server", "server: yes": NTLM + "test_key_combinations_of_a_client"},
    "NTLM for the accounts": {
        "winbind asks a controller": DOMAIN + "test_clients_of_all_makes", "groups": DOMAIN + "test_groups_are_the_directorys",
        "states": DOMAIN + "test_accounts_that_may_not", "password changes": DOMAIN + "test_password_change", "server: yes": DOMAIN + "test_clients_of_all_makes"},
    "NTLMv1": {
        "NTLMv1": "unit/ntlm/test_vectors.c::test_v1_keys", "LM": NTLM + "test_older_responses_need_permission", "anonymous": "unit/ntlm/test_wrong_peer.c::test_anonymous",
        "client: by configuration": NTLM + "test_levels_of_gss_ntlmssp", "server: by configuration": NTLM + "test_older_responses_need_permission"},
    "Kerberos:": {
        "mutual": KERBEROS + "test_mutual", "one-way and DCE style": KERBEROS + "test_dce_style", "channel bindings": KERBEROS + "test_channel_bindings",
        "sign": KERBEROS + "test_integrity_without_confidentiality", "seal": KERBEROS + "test_a_mebibyte", "PAC": "test_kerberos_ad.py::test_pac_says_what_the_directory_says",
        "export": KERBEROS + "test_export_and_import_in_mid_conversation", "AES-SHA1": KERBEROS + "test_mutual", "AES-SHA2": KERBEROS + "test_mutual", "RC4": KERBEROS + "test_mutual",
        "client: yes: password": KERBEROS + "test_password_identity", "client: ticket cache": KERBEROS + "test_caches_by_type_and_principal",
        "client: keytab": "test_kerberos_credentials.py::test_client_keytab", "client: certificate": "test_kerberos_pkinit.py::test_files",
        "server: yes: keytab": KERBEROS + "test_a_server_named_by_its_principal", "server: password": "test_kerberos_user_to_user.py::test_server_with_a_password"},
    "Kerberos user-to-user": {
        "Kerberos user-to-user": "test_kerberos_user_to_user.py::test_user_to_user", "datagrams": "test_kerberos_user_to_user.py::test_datagrams",
        "delegation": "test_kerberos_user_to_user.py::test_delegation", "forwarded tickets": "test_kerberos_delegation.py::test_forwarded_ticket",
        "S4U2Self": "test_kerberos_mit_s4u.py::test_protocol_transition", "S4U2Proxy": "test_kerberos_mit_s4u.py::test_constrained_delegation",
        "PKINIT and PKCS#11": "test_kerberos_pkinit.py::test_pkcs11", "KDC proxies": "test_kerberos_proxy.py::test_proxy",
        "client: yes": "test_kerberos_user_to_user.py::test_our_client_to_libkrb5s_user", "server: yes": "test_kerberos_user_to_user.py::test_libkrb5s_client_to_our_user"},
    "Negotiate": {
        "Negotiate": NEGOTIATE + "test_kerberos_in_one_round_trip", "SPNEGO": NEGOTIATE + "test_kerberos_in_one_round_trip",
        "over Kerberos and NTLM": NEGOTIATE + "test_ntlm_where_there_is_no_ticket", "list protection": NEGOTIATE + "test_changed_list",
        "raw tokens": NEGOTIATE + "test_a_client_without_spnego", "package lists": "unit/api/test_credentials.c::test_package_list",
        "export": NEGOTIATE + "test_export_and_import_in_mid_conversation", "client: yes": NEGOTIATE + "test_ntlm_auth_server", "server: yes": NEGOTIATE + "test_ntlm_auth_client"},
    "SASL": {
        "GSSAPI": "test_sasl_cyrus.py::test_layers", "GSS-SPNEGO": "test_kerberos_ad.py::test_ldap_by_the_sasl_functions", "NTLM": "unit/ntlm/test_sasl.c::test_sign_on",
        "DIGEST-MD5": "test_digest_cyrus.py::test_layers", "with security layers": "test_sasl_cyrus.py::test_sizes",
        "client: yes": "test_sasl_cyrus.py::test_layers", "server: yes": "test_sasl_cyrus.py::test_layers"},
    "The security authority": {
        "secrets stay out of programs": "unit/lsa/test_daemon.c::test_secrets", "logon sessions": "test_lsa_kerberos.py::test_logon_session",
        "sspi logon": "test_lsa_kerberos.py::test_logon_session", "client: yes": "test_lsa_kerberos.py::test_explicit_password", "server: yes": "unit/lsa/test_daemon.c::test_privileges"},
    "Extended protection": {
        "bindings by certificate": HTTP + "test_bindings_by_certificate", "tls-unique": "unit/api/test_bindings.c::test_tls_unique", "tls-exporter": "unit/api/test_bindings.c::test_tls_exporter",
        "service names": HTTP + "test_service_binding", "client: yes": HTTP + "test_relay", "server: yes": HTTP + "test_relay"},
    "Schannel": {
        "TLS 1.2": SCHANNEL + "test_handshake.c::test_tls_1_2", "1.3": SCHANNEL + "test_handshake.c::test_tls_1_3", "DTLS 1.2": "test_tls_peers.py::test_dtls_gnutls_client",
        "validation": "test_tls_peers.py::test_wrong_name_and_unknown_root", "client certificates": "test_tls_peers.py::test_openssl_client_with_certificate",
        "ALPN": SCHANNEL + "test_features.c::test_alpn", "resumption": SCHANNEL + "test_features.c::test_resumption",
        "shared ticket keys": "test_tls_peers.py::test_servers_share_the_keys_of_tickets", "SRTP": "test_tls_peers.py::test_dtls_srtp_openssl_client",
        "renegotiation": "test_tls_peers.py::test_openssl_renegotiates", "client: yes": "test_tls_peers.py::test_gnutls_server", "server: yes": "test_tls_peers.py::test_gnutls_client"},
    "CredSSP": {
        "CredSSP": "test_freerdp.py::test_xfreerdp_signs_on", "versions 2 to 6": CREDSSP + "test_handshake.c::test_versions", "delegation by policy": CREDSSP + "test_handshake.c::test_policy",
        "client: yes: password": "test_freerdp.py::test_shadow_takes_our_client", "server: yes: password": "test_freerdp.py::test_xfreerdp_signs_on",
        "client: smart card": CREDSSP + "test_handed.c::test_each_form", "client: remote guard as the program makes it": CREDSSP + "test_handed.c::test_redirect",
        "TSSSP": CREDSSP + "test_tsssp.c::test_handshake",
        "server: smart card": CREDSSP + "test_request.c::test_smart_card", "server: remote guard as they come": CREDSSP + "test_request.c::test_remote_guard"},
    "WDigest": {
        "HTTP Digest": "test_digest.py::test_curl", "MD5": "test_digest.py::test_curl", "SHA-256": "test_digest.py::test_curl", "SHA-512-256": "unit/digest/test_http.c::test_algorithms",
        "auth": "test_digest.py::test_apache", "auth-int": "unit/digest/test_http.c::test_bodies", "channel bindings": "unit/digest/test_http.c::test_bindings",
        "SASL DIGEST-MD5 with its layers": "test_digest_cyrus.py::test_layers", "client: yes": "test_digest.py::test_apache", "server: yes: SQLite stores": "test_digest.py::test_curl"},
    "Access tokens": {
        "Access tokens": "test_kerberos_ad.py::test_token_has_the_directorys_sids", "impersonation by the kernel": ACCESS + "test_impersonation.c::test_the_kernel_checks",
        "going on as the client": "test_delegation_sample.py::test_own_rights_through_the_chain", "samples/delegation": "test_delegation_sample.py::test_own_rights_through_the_chain",
        "SIDs": ACCESS + "test_sid.c::test_text_round_trip", "SDDL": ACCESS + "test_sddl.c::test_round_trips", "AccessCheck": ACCESS + "test_access_check.c::test_table",
        "LogonUser": FUNCTIONS + "test_logon_user", "names of accounts": "unit/api/test_names.c::test_names_and_sids", "server: yes": ACCESS + "test_impersonation.c::test_groups_count"},
    "The functions of `ntsecapi": {
        "logons": FUNCTIONS + "test_logons", "sessions": FUNCTIONS + "test_many_network_logons", "messages to packages": FUNCTIONS + "test_retrieve", "the ticket cache": FUNCTIONS + "test_tickets",
        "client: yes": FUNCTIONS + "test_tickets", "server: yes": FUNCTIONS + "test_s4u"},
    "Source written": {
        "headers": "test_porting.py::test_names_of_real_callers", "unsigned long": "win32/test_ulong.c::test_context", "and the functions around SSPI": "test_porting.py::test_names_of_real_callers",
        "client: yes": "test_porting_wine.py::test_database_windows", "server: yes": "test_porting.py::test_database"},
}
