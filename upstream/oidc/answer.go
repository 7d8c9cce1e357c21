package oidc

import (
	"encoding/json"
	"net/url"

	"apostille/trust"
	"apostille/upstream"
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

// readMemo reads what Begin wrote.
func readMemo(secret []byte) (memo, error) {
	var m memo
	if err := json.Unmarshal(secret, &m); err != nil || m.Nonce == "" || m.Verifier == "" {
		return memo{}, &upstream.Error{Reason: trust.ReasonLoginState, Detail: "what was kept of the login cannot be read"}
	}
	return m, nil
}
