/**
 * Certificates for the checks of TLS, and for nothing else: their keys are here for all to read.
 * They are valid until 2126. The authority and its two certificates were made so, with OpenSSL 3:
 *
 *     openssl ecparam -name prime256v1 -genkey -noout -out ca.key
 *     openssl req -x509 -new -key ca.key -subj '/CN=WebSocket 101: for tests only' \
 *       -addext keyUsage=critical,keyCertSign -days 36500 -out ca.pem
 *
 *     openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
 *     openssl req -new -key leaf.key -subj /CN=localhost -out leaf.csr
 *     openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 36500 \
 *       -extfile ext -out leaf.pem   (ext: subjectAltName=… and basicConstraints=CA:FALSE)
 *     openssl pkcs8 -topk8 -nocrypt -in leaf.key
 */

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The certificate of the authority that has signed the next two. */
export const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBuDCCAV2gAwIBAgIUCV1Jz/jIzUeok27Se3K38bzu9MEwCgYIKoZIzj0EAwIw
KDEmMCQGA1UEAwwdV2ViU29ja2V0IDEwMTogZm9yIHRlc3RzIG9ubHkwIBcNMjYx
MTIyMDc1MjAyWhgPMjEyNjEwMjkwNzUyMDJaMCgxJjAkBgNVBAMMHVdlYlNvY2tl
dCAxMDE6IGZvciB0ZXN0cyBvbmx5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
TeLgFhyxunRSPA6AN1uA6n2EQr6rJZf1hEvos2P/ri7+ei/P6fg0Ah7WWCzY8d21
0iR093FuAcHxOtjorO6WoKNjMGEwHQYDVR0OBBYEFP6Pj6vFpW2H69FgnlXkObKh
aT5EMB8GA1UdIwQYMBaAFP6Pj6vFpW2H69FgnlXkObKhaT5EMA8GA1UdEwEB/wQF
MAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMCA0kAMEYCIQD23GMJcmcC
h5dQsD3ED+v1uzUPiyXtBxDIBxFCWWpUlgIhANIiFT6MCCo9B4Kfwo9mZVEDBhFi
RK6P4O5WIFuOyNqU
-----END CERTIFICATE-----`;

/** For `localhost`, 127.0.0.1 and ::1. */
export const OF_LOCALHOST: Certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBuzCCAWGgAwIBAgIURegXRMCi4a6Per4b8F/cwIvQOF4wCgYIKoZIzj0EAwIw
KDEmMCQGA1UEAwwdV2ViU29ja2V0IDEwMTogZm9yIHRlc3RzIG9ubHkwIBcNMjYx
MTIyMDc1MjAyWhgPMjEyNjEwMjkwNzUyMDJaMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCaGuLllPbV6dh0QRlrq0PKs/fzl
2NQK5RM7hSJI1YjxJ5iceY6tQnSPB0fzRaagZn+dNLas6OQJ3Qt+4CABD0SjezB5
MCwGA1UdEQQlMCOCCWxvY2FsaG9zdIcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAJ
BgNVHRMEAjAAMB0GA1UdDgQWBBSN2nEfO+3MZiQTM1eo/+yQiLRspzAfBgNVHSME
GDAWgBT+j4+rxaVth+vRYJ5V5DmyoWk+RDAKBggqhkjOPQQDAgNIADBFAiEA9NFs
mlK2IJmGvU6rDp11q5VCzD3UjdQvphw3AlNiDL4CIG0EztQjMMNwNkPMw+Q/UT60
x337RiNF1x2zQjKfRH8C
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsg+KKcSkrKN4lkoX
TiT6itsHLzqTcbaG2UIZ8imjehKhRANCAAQmhri5ZT21enYdEEZa6tDyrP385djU
CuUTO4UiSNWI8SeYnHmOrUJ0jwdH80WmoGZ/nTS2rOjkCd0LfuAgAQ9E
-----END PRIVATE KEY-----`,
};

/** For `server.example.com`: not where the checks have their servers. */
export const OF_ANOTHER: Certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBtTCCAVugAwIBAgIURegXRMCi4a6Per4b8F/cwIvQOF8wCgYIKoZIzj0EAwIw
KDEmMCQGA1UEAwwdV2ViU29ja2V0IDEwMTogZm9yIHRlc3RzIG9ubHkwIBcNMjYx
MTIyMDc1MjAzWhgPMjEyNjEwMjkwNzUyMDNaMB0xGzAZBgNVBAMMEnNlcnZlci5l
eGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJNqXTuK1DZ7HjkM
01AS0Zg5cj0mpbAGNpSReWpLR+8NVJu6lsu3PtAAtJwxOIZfo7SdEpv8Owi45K9h
V/3zt1OjbDBqMB0GA1UdEQQWMBSCEnNlcnZlci5leGFtcGxlLmNvbTAJBgNVHRME
AjAAMB0GA1UdDgQWBBQhYG9GJizKJF42mm8ek4cajuBGzjAfBgNVHSMEGDAWgBT+
j4+rxaVth+vRYJ5V5DmyoWk+RDAKBggqhkjOPQQDAgNIADBFAiA3J0SihnGwCWPO
u6tqhawezB/DVFOxMeLZXpervLYuegIhAMmC88VqkxQgMvEmFLUvrGXq9oZmVZ43
YxSUhJyHUh7P
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfQa+7yJDu1aL25eJ
r6F35GHc3OD0/dVDGFpuUhC6RYOhRANCAASTal07itQ2ex45DNNQEtGYOXI9JqWw
BjaUkXlqS0fvDVSbupbLtz7QALScMTiGX6O0nRKb/DsIuOSvYVf987dT
-----END PRIVATE KEY-----`,
};

/** For `localhost`, 127.0.0.1 and ::1, and signed by nobody else. */
export const SIGNED_BY_ITSELF: Certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBrzCCAVSgAwIBAgIUc34b3isx4WRqOwWDGyriGikDO2owCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjA3NTIwM1oYDzIxMjYxMDI5
MDc1MjAzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATqMEInqYrYyPjJFBEdjRiXPVri4uKw8ZK0hHNKguRc5CLTbw5HscL4
M32CHwAv79Nrxncc5sNPb/B+xYVH0QZVo4GBMH8wHQYDVR0OBBYEFK2r4Ywk9KH2
TessikPfieTXqFi1MB8GA1UdIwQYMBaAFK2r4Ywk9KH2TessikPfieTXqFi1MA8G
A1UdEwEB/wQFMAMBAf8wLAYDVR0RBCUwI4IJbG9jYWxob3N0hwR/AAABhxAAAAAA
AAAAAAAAAAAAAAABMAoGCCqGSM49BAMCA0kAMEYCIQCyu52UAvGTJAIfnoIWLwaR
PiFLCj6CXiDBkO05bsHErAIhAJQnjtQZ2+w+vYK6qYQRvPVcaawR9DMn2Bv2xAfg
DKij
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/6k1ZoV2nhYACUJd
EiyBj7rt5A29h36IdZHi9okk3sGhRANCAATqMEInqYrYyPjJFBEdjRiXPVri4uKw
8ZK0hHNKguRc5CLTbw5HscL4M32CHwAv79Nrxncc5sNPb/B+xYVH0QZV
-----END PRIVATE KEY-----`,
};
