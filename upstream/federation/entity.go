package federation

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// detail is what verifying and signing in need to know of a member. It lies in the index, not in memory.
type detail struct {
	EntityID     string   `json:"entity_id"`
	Certificates [][]byte `json:"certificates"` // DER, for signing, of every key descriptor
	Redirect     string   `json:"redirect,omitempty"`
	Post         string   `json:"post,omitempty"`
	Logout       string   `json:"logout,omitempty"` // by redirect
}

// entity is an identity provider as its EntityDescriptor describes it.
type entity struct {
	member trust.Member
	detail detail
	until  time.Time // zero = as long as the aggregate
}

// Why an entity is left out. It is no reason to do without the others.
type leftOut string

const (
	outRole    leftOut = "no identity provider" // service providers and such
	outName    leftOut = "no entityID that can be used"
	outRoles   leftOut = "two roles of identity provider"
	outKeys    leftOut = "no signing certificate"
	outPlace   leftOut = "no https place to sign in by redirect or POST"
	outExpired leftOut = "expired, or with a validUntil that cannot be read"
	outSize    leftOut = "too large"
)

// Limits of one entity.
const (
	maxEntityID     = 1024    // bytes: SAML Metadata 2.0 §2.2.1
	maxCertificates = 8       // one while nothing changes, two while keys are rolled over
	maxCertificate  = 8 << 10 // bytes, DER
)

// reader reads entities of one federation.
type reader struct {
	federation string
	language   string // of names, if there is one in it
	dev        bool   // http places are for developers
}

// entity reads an EntityDescriptor (SAML Metadata 2.0 §2.3.2). Nothing of what it returns shares memory with e.
func (r *reader) entity(e *xmlsec.Element) (*entity, leftOut) {
	id, _ := e.Attr("entityID")
	if id == "" || len(id) > maxEntityID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return nil, outName
	}
	var role *xmlsec.Element
	for c := range below(e, md("IDPSSODescriptor")) {
		if protocols, _ := c.Attr("protocolSupportEnumeration"); !slices.Contains(strings.Fields(protocols), protocolTwo) {
			continue
		}
		if role != nil {
			return nil, outRoles
		}
		role = c
	}
	if role == nil {
		return nil, outRole
	}
	id = strings.Clone(id)
	out := &entity{detail: detail{EntityID: id}}
	var err error
	if out.until, err = earliest(e, role); err != nil {
		return nil, outExpired
	}
	if out.detail.Certificates = certificates(role); len(out.detail.Certificates) == 0 {
		return nil, outKeys
	}
	r.places(role, &out.detail)
	if out.detail.Redirect == "" && out.detail.Post == "" {
		return nil, outPlace
	}
	out.member = trust.Member{ID: trust.MemberID(r.federation, id), Federation: r.federation, EntityID: id}
	r.describe(e, role, &out.member)
	return out, ""
}

// certificates are those of descriptors for signing, and for anything. One with several certificates does not say which of them is the
// key (SAML Metadata Interoperability Profile 1.0 §2.4): it is passed over.
func certificates(role *xmlsec.Element) (list [][]byte) {
	for k := range below(role, md("KeyDescriptor")) {
		if use, stated := k.Attr("use"); stated && use != "signing" || len(list) == maxCertificates {
			continue
		}
		var found []string
		for c := range below(k, dsig("KeyInfo"), dsig("X509Data"), dsig("X509Certificate")) {
			text, _ := c.Text()
			found = append(found, text)
		}
		if len(found) != 1 {
			continue
		}
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(found[0]), ""))
		if err != nil || len(der) == 0 || len(der) > maxCertificate {
			continue
		}
		list = append(list, der)
	}
	return list
}

func dsig(local string) xmlsec.Name { return xmlsec.Name{Space: spaceDSig, Local: local} }

// places finds where people are sent to: of each binding the first.
func (r *reader) places(role *xmlsec.Element, d *detail) {
	first := func(name, binding string) string {
		for s := range below(role, md(name)) {
			if b, _ := s.Attr("Binding"); b != binding {
				continue
			}
			if at, _ := s.Attr("Location"); r.place(at) {
				return strings.Clone(at)
			}
		}
		return ""
	}
	d.Redirect, d.Post = first("SingleSignOnService", bindingRedirect), first("SingleSignOnService", bindingPost)
	d.Logout = first("SingleLogoutService", bindingRedirect)
}

// place says whether people may be sent to a URL.
func (r *reader) place(at string) bool {
	u, err := url.Parse(at)
	return err == nil && len(at) <= maxEntityID && u.Host != "" && u.User == nil && u.Fragment == "" && (u.Scheme == "https" || r.dev && u.Scheme == "http")
}
