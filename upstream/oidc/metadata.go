package oidc

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"apostille/trust/jose"
)

const maxEndpoint = 2048 // bytes

// metadata is what a discovery document says that logins need. All endpoints are learnt: see party.client. Immutable.
type metadata struct {
	authorization string // never fetched by us: browsers go there
	token         string
	userInfo      string   // "" = none
	par           string   // "" = none
	endSession    string   // "" = none; for browsers too
	sendsIss      bool     // RFC 9207 §3
	selects       bool     // knows prompt=select_account (Initiating User Registration 1.0 §4.1 has the member)
	assertionAlgs []string // algorithms of client assertions; nil = not said
}

// readMetadata reads a document that is the issuer's. An endpoint that is no URL a login may use refuses the document: what else is wrong
// with it cannot be known.
func readMetadata(doc map[string]any, issuer string) (*metadata, error) {
	m := &metadata{}
	for _, e := range []struct {
		name     string
		into     *string
		required bool
	}{
		{"authorization_endpoint", &m.authorization, true},
		{"token_endpoint", &m.token, true},
		{"userinfo_endpoint", &m.userInfo, false},
		{"pushed_authorization_request_endpoint", &m.par, false},
		{"end_session_endpoint", &m.endSession, false},
	} {
		text, _ := doc[e.name].(string)
		if text == "" && !e.required {
			continue
		}
		if why := endpointFault(text, issuer); why != "" {
			return nil, fmt.Errorf("discovery document of %s: %s %s", issuer, e.name, why)
		}
		*e.into = text
	}
	m.sendsIss = doc["authorization_response_iss_parameter_supported"] == true
	if list, ok := doc["prompt_values_supported"].([]any); ok {
		m.selects = slices.Contains(list, any("select_account"))
	}
	if list, ok := doc["token_endpoint_auth_signing_alg_values_supported"].([]any); ok {
		m.assertionAlgs, _ = allStrings(list)
	}
	return m, nil
}

// endpointFault says what keeps text from being an endpoint: it is https, or http as the issuer is (a developer's machine).
func endpointFault(text, issuer string) string {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "is missing"
	case len(text) > maxEndpoint || err != nil || u.Host == "":
		return "is not a URL"
	case u.Scheme != "https" && (u.Scheme != "http" || !strings.HasPrefix(issuer, "http://")):
		return "is not an https URL"
	case u.User != nil || u.Fragment != "":
		return "has credentials or a fragment" // RFC 6749 §3.1, §3.2
	}
	return ""
}

// assertionAlg picks the algorithm of client assertions: the cheapest of ours that the upstream takes. One that does not say takes RS256
// (OpenID Connect Discovery 1.0 §3).
func (m *metadata) assertionAlg() (jose.Alg, bool) {
	if m.assertionAlgs == nil {
		return jose.RS256, true
	}
	for _, alg := range []jose.Alg{jose.ES256, jose.RS256, jose.EdDSA} {
		if slices.Contains(m.assertionAlgs, string(alg)) {
			return alg, true
		}
	}
	return "", false
}
