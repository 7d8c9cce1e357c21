package authflow

import (
	"crypto/subtle"
	"net/http"
	"time"

	"apostille/trust"
)

// Result is how a login ended.
type Result struct {
	Trust string    // office that signed the person in; "" with Refused
	At    time.Time // when
	// Refused is trust.ReasonLoginRequired if the office did not authenticate the person as freshly as Request.Ask wanted: to begin
	// again would go in circles, so the application must be told.
	Refused trust.Reason
}

// Result takes the result that a login left under a handle, once. It is there only for the browser that began the login and for the
// Return that it was begun with, byte for byte. No such result is false; so is one that says Refused, which a caller that looks at
// nothing but the bool thus never takes for a sign-in. An error says that the store did not answer.
func (f *Flow) Result(r *http.Request, handle, ret string) (Result, bool, error) {
	var out result
	ok, err := f.peek(r.Context(), kindResult, handle, &out)
	if err != nil || !ok || !f.Sessions.SameBrowser(r, out.Browser) || !sameDigest(out.Return, ret) {
		return Result{}, false, err
	}
	if ok, err = f.take(r.Context(), kindResult, handle, &out); err != nil || !ok {
		return Result{}, false, err
	}
	return Result{Trust: out.Trust, At: out.At, Refused: out.Refused}, out.Refused == "" && out.Trust != "", nil
}

// sameDigest compares a text with the digest of an earlier one, in constant time. "" is the same as nothing.
func sameDigest(want []byte, text string) bool {
	return text != "" && subtle.ConstantTimeCompare(want, digest(text)) == 1
}
