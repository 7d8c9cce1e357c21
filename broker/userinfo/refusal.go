package userinfo

import (
	"fmt"
	"net/http"

	"apostille/broker/oauth"
	"apostille/exchange"
	"apostille/trust"
)

// refused is an answer without claims. text is for strangers, cause for the log.
type refused struct {
	code   string
	status int
	text   string
	bare   bool // no token came: the challenge has no error (RFC 6750 §3.1)
	cause  error
}

func noToken() *refused {
	return &refused{code: oauth.CodeInvalidToken, status: http.StatusUnauthorized, text: "send an access token", bare: true}
}

func badRequest(text string) *refused {
	return &refused{code: oauth.CodeInvalidRequest, status: http.StatusBadRequest, text: text}
}

func invalid(text string) *refused {
	return &refused{code: oauth.CodeInvalidToken, status: http.StatusUnauthorized, text: text}
}

func insufficient() *refused {
	return &refused{code: oauth.CodeInsufficientScope, status: http.StatusForbidden, text: "the token lacks the scope openid"}
}

func unavailable(doing string, err error) *refused {
	return &refused{code: oauth.CodeUnavailable, status: http.StatusServiceUnavailable, text: "the server cannot answer at the moment",
		cause: fmt.Errorf("%s: %w", doing, err)}
}

// unverified says why a token is none of ours, or not any more.
func unverified(err error) *refused {
	return spelled(exchange.AsRefusal(err).Reason, err)
}

// undecided says why nothing may be told of the person by now.
func undecided(d *trust.Decision) *refused { return spelled(d.Reason, nil) }

// spelled has the words of the token endpoint and the codes of RFC 6750: whatever is wrong with the token or with whom it stands for
// makes it invalid.
func spelled(reason trust.Reason, cause error) *refused {
	told := oauth.ErrorFor(trust.GrantTokenExchange, reason, cause)
	if told.Status >= http.StatusInternalServerError {
		return &refused{code: told.Code, status: told.Status, text: told.Description, cause: cause}
	}
	return invalid(told.Description)
}

// refuse answers with RFC 6750 §3's challenge.
func (e *Endpoint) refuse(w http.ResponseWriter, reg *trust.Registry, r *refused) {
	out := &oauth.Error{Code: r.code, Description: r.text, Status: r.status, Cause: r.cause}
	if r.status >= http.StatusInternalServerError {
		out.RetryAfter = 1
		e.Log.Error("userinfo request failed", "error", out)
	} else {
		out.Challenge = `Bearer realm="` + oauth.Printable(reg.Issuer()) + `"`
		if !r.bare {
			out.Challenge += `, error="` + r.code + `", error_description="` + oauth.Printable(r.text) + `"`
		}
		if r.code == oauth.CodeInsufficientScope {
			out.Challenge += `, scope="openid"`
		}
	}
	oauth.WriteError(w, out, "")
}
