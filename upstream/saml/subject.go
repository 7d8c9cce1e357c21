package saml

import (
	"apostille/trust"
)

// readSubject finds out who the assertion is about.
func (x *examination) readSubject(t *trust.Trust, a *assertion) *fault {
	claims, f := a.claims()
	if f != nil {
		return f
	}
	if f := scopeFault(t.Spec.AttributeScopes, claims); f != nil {
		return f
	}
	s := &x.subject
	if t.ByNameID() {
		if f := a.name.fault(); f != nil {
			return f
		}
		s.Kind, s.Value = a.name.kind(a.issuer), a.name.value
		s.Sub = trust.DeriveSub(t.Spec.Domain, s.Kind, s.Value)
	} else {
		path := t.Spec.Subject
		v, ok := t.SubjectClaim(claims)
		value, isText := v.(string)
		switch {
		case !ok:
			return faulty(trust.ReasonSubject, checkSubject, "the assertion has no "+path)
		case !isText:
			return faulty(trust.ReasonSubject, checkSubject, path+" is not one value")
		}
		if wrong := identifier(value, maxSubject); wrong != "" {
			return faulty(trust.ReasonSubject, checkSubject, path+" "+wrong)
		}
		s.Kind, s.Value, s.Sub = path, value, t.SubOf(value)
	}
	s.Credential, s.Trust, s.Origin = trust.CredentialSAML2, t.ID, t.ID
	s.Domain, s.Issuer, s.Claims = t.Spec.Domain, a.issuer, claims
	return x.passed(checkSubject, s.Kind)
}

// fault says why a NameID cannot be the key of an account.
func (n *nameID) fault() *fault {
	switch {
	case n == nil:
		return faulty(trust.ReasonSubject, checkSubject, "the assertion has no NameID, and the trust names no attribute as `subject`")
	case n.format == formatTransient:
		return faulty(trust.ReasonSubject, checkSubject, "the NameID is transient, another one each time: name an attribute with `subject` of the trust")
	case len(n.format) > maxSubject || len(n.qualifier) > maxSubject || len(n.spQualifier) > maxSubject:
		return faulty(trust.ReasonSubject, checkSubject, "the NameID's format or qualifier is too long")
	}
	if wrong := identifier(n.value, maxSubject); wrong != "" {
		return faulty(trust.ReasonSubject, checkSubject, "NameID "+wrong)
	}
	return nil
}
