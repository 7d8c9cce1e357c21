package oidc

import (
	"slices"

	"apostille/trust"
)

// Members that give away what a token really is, whatever typ says (RFC 8725 §3.12, THREATS A60).
var (
	idTokenOnly     = []string{"nonce", "at_hash", "c_hash", "s_hash"}
	accessTokenOnly = []string{"scope", "scp", "client_id"}
	neverSubject    = []string{
		"events",     // logout token, security event token (RFC 8417)
		"htm", "htu", // DPoP proof (RFC 9449)
	}
)

// checkContent wants the header's typ and the claims to agree with what the caller was told.
func (x *examination) checkContent() *fault {
	if f := x.forbid(neverSubject, "is no token about a subject"); f != nil {
		return f
	}
	typ := x.token.Header.Typ
	allowed := x.spec.Types
	if x.want.Type == trust.CredentialIDToken {
		if typ == "at+jwt" {
			return &fault{trust.ReasonType, checkType, "typ at+jwt is an access token, not an ID token", nil}
		}
		if f := x.forbid(accessTokenOnly, "is an access token, not an ID token"); f != nil {
			return f
		}
		if !x.claims.has("sub") {
			return &fault{trust.ReasonSubject, checkType, "an ID token needs sub", nil}
		}
		if len(allowed) == 0 {
			allowed = []string{"", "jwt"}
		}
	} else {
		if f := x.forbid(idTokenOnly, "is an ID token; send it as subject_token_type id_token"); f != nil {
			return f
		}
		if len(allowed) == 0 {
			allowed = []string{"", "jwt", "at+jwt"}
		}
	}
	if !slices.Contains(allowed, typ) {
		return &fault{trust.ReasonType, checkType, quote("the trust does not accept typ ", typ), nil}
	}
	return x.passed(checkType, string(x.want.Type))
}

func (x *examination) forbid(names []string, means string) *fault {
	for _, name := range names {
		if x.claims.has(name) {
			return &fault{trust.ReasonType, checkType, "a token with " + name + " " + means, nil}
		}
	}
	return nil
}
