package fake

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// exchange answers authorization_code and refresh_token at the token endpoint (RFC 6749 §4.1.3, §6).
func (p *Provider) exchange(w http.ResponseWriter, r *http.Request, f Faults) {
	c, err := p.relyingParty(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="fake"`)
		tokenError(w, http.StatusUnauthorized, "invalid_client", err.Error())
		return
	}
	if f.Login.TokenError != "" {
		tokenError(w, http.StatusBadRequest, f.Login.TokenError, "an error that was asked for")
		return
	}
	in, wrong := p.redeem(r, c)
	if wrong != "" {
		tokenError(w, http.StatusBadRequest, "invalid_grant", wrong)
		return
	}
	f.writeJSON(w, mustJSON(p.tokens(in, f)))
}

// redeem takes the code or refresh token; wrong says why it is worth nothing. It is spent in any case.
func (p *Provider) redeem(r *http.Request, c Client) (in signedIn, wrong string) {
	if r.PostForm.Get("grant_type") == "refresh_token" {
		in, ok := p.take(p.memory.refresh, r.PostForm.Get("refresh_token"))
		if !ok || in.ask.client != c.ID {
			return in, "the refresh token is unknown, used or another client's"
		}
		in.ask.nonce = ""
		return in, ""
	}
	in, ok := p.take(p.memory.codes, r.PostForm.Get("code"))
	digest := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case !ok || in.ask.client != c.ID:
		return in, "the code is unknown, used, expired or another client's"
	case in.ask.redirect != r.PostForm.Get("redirect_uri"):
		return in, "the redirect_uri is not that of the request"
	case in.ask.challenge != encode(digest[:]):
		return in, "the code_verifier does not match" // RFC 7636 §4.6
	}
	return in, ""
}

// tokens is a token answer (OpenID Connect Core 1.0 §3.1.3.3).
func (p *Provider) tokens(in signedIn, f Faults) map[string]any {
	access := p.keep(p.memory.access, in, accessLife)
	out := map[string]any{
		"fake": Notice, "access_token": access, "token_type": "Bearer", "expires_in": int(accessLife.Seconds()),
		"scope": strings.Join(in.ask.scopes, " "), "id_token": p.idToken(in, access, f),
	}
	if slices.Contains(in.ask.scopes, "offline_access") {
		out["refresh_token"] = p.keep(p.memory.refresh, in, 0)
	}
	return over(out, f.Login.Token)
}

func (p *Provider) idToken(in signedIn, access string, f Faults) string {
	h, _ := p.person(in.username)
	claims := h.idTokenClaims(in.ask.scopes)
	claims["aud"], claims["auth_time"], claims["acr"], claims["sid"] = in.ask.client, in.authTime.Unix(), in.acr, in.sid
	claims["jti"] = rand.Text()
	if in.ask.nonce != "" {
		claims["nonce"] = in.ask.nonce
	}
	claims["at_hash"] = p.halfHash(access)
	for name, v := range f.Login.IDToken {
		claims[name] = v // Mint leaves out what is nil
	}
	return p.Mint(claims, f.Login.Mint...)
}

// halfHash is at_hash (OpenID Connect Core 1.0 §3.1.3.6): the left half of the hash that the signature uses. EdDSA uses SHA-512.
func (p *Provider) halfHash(token string) string {
	hash, ok := hashes[p.o.Alg[2:]]
	if !ok {
		hash = hashes["512"]
	}
	h := hash.New()
	h.Write([]byte(token))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
