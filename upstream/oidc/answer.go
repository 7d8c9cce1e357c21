package oidc

import (
	"net/url"

	"apostille/trust"
)

const maxCode = 4 << 10 // bytes

// readAnswer checks what came back with the browser and returns the code. The issuer comes first: an error of another upstream is no error
// of this one (RFC 9207 §2.4).
func (p *party) readAnswer(params url.Values) (code string, err error) {
	for _, values := range params {
		if len(values) > 1 {
			return "", refusal(&fault{trust.ReasonRequest, checkAnswer, "a parameter is repeated", nil}) // RFC 6749 §3.1
		}
	}
	switch iss := params.Get("iss"); {
	case params.Has("iss") && iss != p.trust.Spec.Issuer:
		return "", refusal(&fault{trust.ReasonLoginState, checkAnswer, quote("it comes from another issuer, ", iss), nil})
	case !params.Has("iss") && p.meta.sendsIss:
		return "", refusal(&fault{trust.ReasonLoginState, checkAnswer, "the upstream says that it sends iss, and there is none", nil})
	}
	if params.Get("error") != "" {
		return "", answeredError("the upstream", params.Get("error"))
	}
	code = params.Get("code")
	if wrong := identifier(code, maxCode); wrong != "" {
		return "", refusal(&fault{trust.ReasonRequest, checkAnswer, "the code " + wrong, nil})
	}
	return code, nil
}
