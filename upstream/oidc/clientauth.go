package oidc

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"apostille/trust"
	"apostille/upstream"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionTyp tells a client assertion from every other JWT of ours (draft-ietf-oauth-rfc7523bis).
	assertionTyp  = "client-authentication+jwt"
	assertionLife = time.Minute
)

// authenticate adds what proves that the request is ours (RFC 6749 §2.3).
func (p *party) authenticate(form url.Values, header http.Header) error {
	switch p.cfg.auth() {
	case AuthBasic:
		// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
		pair := url.QueryEscape(p.cfg.ClientID) + ":" + url.QueryEscape(p.cfg.Secret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		return nil
	case AuthPost:
		form.Set("client_id", p.cfg.ClientID)
		form.Set("client_secret", p.cfg.Secret)
		return nil
	case AuthPrivateKeyJWT:
		return p.assert(form)
	case AuthNone:
		form.Set("client_id", p.cfg.ClientID)
		return nil
	}
	return &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: quote("there is no client authentication ", p.cfg.Auth)}
}

// assert adds a client assertion (RFC 7523 §2.2, §3).
func (p *party) assert(form url.Values) error {
	alg, ok := p.meta.assertionAlg()
	if !ok || p.rp.Sign == nil {
		return &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "the upstream takes no algorithm of ours for client assertions"}
	}
	aud := p.cfg.AssertionAudience
	if aud == "" {
		aud = p.trust.Spec.Issuer
	}
	claims, err := json.Marshal(map[string]any{
		"iss": p.cfg.ClientID, "sub": p.cfg.ClientID, "aud": aud, "jti": random(),
		"iat": p.now.Unix(), "exp": p.now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return err
	}
	token, err := p.rp.Sign(alg, assertionTyp, claims)
	if err != nil {
		return &upstream.Error{Reason: trust.ReasonPanic, Detail: "the client assertion could not be signed", Cause: err}
	}
	form.Set("client_id", p.cfg.ClientID)
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", token)
	return nil
}
