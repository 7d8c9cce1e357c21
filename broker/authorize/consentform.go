package authorize

import (
	"encoding/json"
	"net/http"

	"apostille/broker/page"
	"apostille/trust"
)

// consentForm reads the form, which only our own pages may send.
func (e *Endpoint) consentForm(c *call, w http.ResponseWriter, r *http.Request) (values, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		p := onPage("use POST")
		p.Status = http.StatusMethodNotAllowed
		return values{}, p
	}
	if err := page.Ours(r, c.policy.Registry.Issuer()); err != nil {
		p := onPage("a form of another site")
		p.Status = http.StatusForbidden
		return values{}, p
	}
	raw, err := rawBody(w, r, maxConsent)
	if err != nil {
		return values{}, err
	}
	v, p := readValues(raw, maxConsent, "scope")
	switch {
	case p != nil:
		return values{}, p
	case len(v.repeated) > 0:
		return values{}, onPage("a field is repeated")
	}
	return v, nil
}

func expired(detail string) *problem {
	return &problem{Status: http.StatusBadRequest, Reason: trust.ReasonLoginState, Text: "the request is over", Detail: detail}
}

func (e *Endpoint) unseal(c *call, text string) (waiting, error) {
	var in waiting
	plain, err := e.Box.Open(consentPurpose, text)
	if err != nil || json.Unmarshal(plain, &in) != nil {
		return waiting{}, expired("not a form of ours")
	}
	if age := c.started.Sub(in.Since); age > consentTTL || age < -trust.Skew {
		return waiting{}, expired("the page lay open too long")
	}
	return in, nil
}
