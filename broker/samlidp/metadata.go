package samlidp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"apostille/trust/xmlsec"
)

// Metadata is what an application needs to know of us (SAML Metadata 2.0 §2.4.3): signed, without validUntil, since many carry it over by hand,
// and with both keys while one is rotated.
func (e *Endpoint) Metadata() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b, err := e.metadata()
		if err != nil {
			e.Log.Error("SAML metadata", "error", err)
			http.Error(w, "the metadata cannot be made at the moment", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/samlmetadata+xml") // SAML Metadata 2.0 §A
		h.Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(b) // the reader went away: nothing is left to tell it
	})
}

func (e *Endpoint) metadata() ([]byte, error) {
	key, err := e.key()
	if err != nil {
		return nil, err
	}
	own, err := e.Own()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`)
	for _, k := range own {
		fmt.Fprintf(&b, `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
			base64.StdEncoding.EncodeToString(k.Certificate))
	}
	e.services(&b, "SingleLogoutService", LogoutPath)
	for _, format := range []string{formatPersistent, formatTransient, formatEmail} {
		fmt.Fprintf(&b, "<md:NameIDFormat>%s</md:NameIDFormat>", format)
	}
	e.services(&b, "SingleSignOnService", SSOPath)
	b.WriteString("</md:IDPSSODescriptor>")
	sum := sha256.Sum256([]byte(b.String())) // the ID says what is in it, so that the same metadata has the same bytes
	document := fmt.Sprintf(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_%s" entityID="%s">%s</md:EntityDescriptor>`,
		hex.EncodeToString(sum[:16]), escaped(e.EntityID()), b.String())
	return xmlsec.Sign([]byte(document), key.Key, key.Certificate)
}

// services names an endpoint under the bindings it takes.
func (e *Endpoint) services(b *strings.Builder, service, path string) {
	for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
		fmt.Fprintf(b, `<md:%s Binding="urn:oasis:names:tc:SAML:2.0:bindings:%s" Location="%s"/>`, service, binding, escaped(e.Issuer+path))
	}
}
