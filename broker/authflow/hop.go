package authflow

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

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
		if err := f.screen(r.Context(), t, upstream.Answer{Secret: begun.Secret, Params: in.Params, Ask: askFor(begun.Request, t), Begun: begun.Begun}); err != nil {
			x := upstreamRefusal(err)
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

// screen asks the provider whether a large answer is the office's.
func (f *Flow) screen(ctx context.Context, t *trust.Trust, a upstream.Answer) (err error) {
	defer recovered(&err)
	s, ok := f.Provider.(upstream.Screener)
	if !ok {
		return &upstream.Error{Reason: trust.ReasonTooLarge, Detail: "an answer of this size is not expected"}
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
