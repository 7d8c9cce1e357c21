package authflow

import (
	"net/http"

	"apostille/trust"
)

// metadata is GET /saml/metadata: what offices that speak SAML need to know of us. Below it, /ID, it is under the entityID that the office ID
// calls us by.
func (f *Flow) metadata(w http.ResponseWriter, r *http.Request) *refusal {
	entityID := ""
	if id := r.PathValue("trust"); id != "" {
		t, ok := f.speaks(id, trust.ProtocolSAML)
		if !ok {
			return &refusal{kind: Malformed, reason: trust.ReasonTrustNotLive, detail: "no such office"}
		}
		entityID = t.Spec.Login.EntityID
	}
	if f.Metadata == nil {
		return &refusal{kind: Malformed, reason: trust.ReasonTrustNotLive, detail: "no office speaks SAML"}
	}
	b, err := f.Metadata.Metadata(entityID)
	if err != nil {
		return &refusal{kind: Unavailable, reason: trust.ReasonKeysUnavailable, detail: "our metadata cannot be made", cause: err}
	}
	h := w.Header()
	h.Set("Content-Type", "application/samlmetadata+xml") // SAML Metadata 2.0 §A
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(b) // the reader went away: nothing is left to tell it
	return nil
}
