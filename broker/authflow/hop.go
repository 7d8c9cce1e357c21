package authflow

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// hopPurpose is what a posted answer is sealed for. It holds what an office says of a person, or a code.
const hopPurpose = "login-hop"

// hop is an answer that was posted, until the browser comes for it with its cookie.
type hop struct {
	Trust  string     `json:"trust"`
	State  string     `json:"state"`
	Params url.Values `json:"params"`
	// Unsolicited: there is no login that it answers, so that State is empty.
	Unsolicited bool `json:"unsolicited,omitempty"`
}

// layAside keeps a posted answer to a login, sealed, and sends the browser to fetch it with its cookies.
func (f *Flow) layAside(w http.ResponseWriter, r *http.Request, t *trust.Trust, in hop, begun login) *refusal {
	b, err := pack(in)
	if err != nil {
		return &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: err.Error()}
	}
	p := store.Pending{Value: []byte(f.Box.Seal(hopPurpose, b)), Until: f.Now().Add(hopTTL)}
	if saml := t.Spec.Login.Protocol == trust.ProtocolSAML; saml && len(p.Value) > store.MaxPending { // a stranger with a login of their own could fill the disk with those
		a := upstream.Answer{Secret: begun.Secret, Params: in.Params, Ask: askFor(begun.Request, t), Begun: begun.Begun}
		if x := f.vouched(r.Context(), t, a, p.Until); x != nil {
			x.trust = t.ID
			return x
		}
		p.Vouched = true
	}
	handle := mint.NewSecret()
	err = f.Pending.PutPending(r.Context(), kindHop, handle, p)
	switch {
	case errors.Is(err, store.ErrInvalid):
		return &refusal{kind: Malformed, reason: trust.ReasonRequest, detail: "an answer that is too long", trust: t.ID}
	case err != nil:
		return storeRefusal(err)
	}
	http.Redirect(w, r, f.base()+"/login/hop?h="+handle, http.StatusSeeOther)
	return nil
}

// vouched says of a large answer that it is the office's, and the first with this credential: else somebody with an account there could fill
// the disk with one answer, which they may have padded around what is signed.
func (f *Flow) vouched(ctx context.Context, t *trust.Trust, a upstream.Answer, until time.Time) *refusal {
	id, err := f.screen(ctx, t, a)
	if err != nil {
		return upstreamRefusal(err)
	}
	switch first, err := f.Replay.Claim(ctx, kindLaidAside, t.Spec.Issuer, id, until); {
	case err != nil:
		return storeRefusal(err)
	case !first:
		return &refusal{kind: Over, reason: trust.ReasonReplayed, detail: "a large answer that was brought before"}
	}
	return nil
}

// kindLaidAside is the store.Replay kind of credentials whose large answers are laid aside.
const kindLaidAside = "laid_aside"

// screen asks the provider whether a large answer is the office's.
func (f *Flow) screen(ctx context.Context, t *trust.Trust, a upstream.Answer) (id string, err error) {
	defer recovered(&err)
	s, ok := f.Provider.(upstream.Screener)
	if !ok {
		return "", &upstream.Error{Reason: trust.ReasonTooLarge, Detail: "an answer of this size is not expected"}
	}
	return s.Screen(ctx, t, f.redirect(t), a)
}

// hop is GET /login/hop: the browser fetches what it posted.
func (f *Flow) hop(w http.ResponseWriter, r *http.Request) *refusal {
	p, x := queryOf(r)
	if x != nil {
		return x
	}
	in, ok, err := f.fetchHop(r.Context(), p.Get("h"))
	if err != nil {
		return storeRefusal(err)
	}
	if !ok {
		return f.over(r, "")
	}
	if in.Unsolicited {
		return f.welcome(w, r, in)
	}
	return f.finish(w, r, in)
}

func (f *Flow) fetchHop(ctx context.Context, handle string) (in hop, ok bool, err error) {
	if !mint.IsSecret(handle) {
		return hop{}, false, nil
	}
	p, ok, err := f.Pending.TakePending(ctx, kindHop, handle)
	if err != nil || !ok || !p.Until.After(f.Now()) {
		return hop{}, false, err
	}
	plain, err := f.Box.Open(hopPurpose, string(p.Value))
	if err != nil || json.NewDecoder(flate.NewReader(bytes.NewReader(plain))).Decode(&in) != nil {
		return hop{}, false, errors.New("authflow: an answer that was laid aside cannot be read")
	}
	return in, true, nil
}

// pack writes an answer small: two layers of base64 take nearly twice the room.
func pack(in hop) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		err = json.NewEncoder(w).Encode(in)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}
