package saml

import (
	"reflect"
	"slices"
	"strings"

	"apostille/trust"
)

// Claims that do not come from an attribute.
const (
	claimIssuer  = "iss"
	claimNameID  = "name_id"
	claimFormat  = "name_id_format"
	claimContext = "authn_context"
)

// own are those: an attribute of such a name would pass for what the assertion does not say.
var own = []string{claimIssuer, claimNameID, claimFormat, claimContext}

// short is what an attribute is called for short: eduPerson, SCHAC, the entity categories of REFEDS, X.500, and what Microsoft's products
// send. A claim is found under both names. FriendlyName is not asked: it is a comment (SAML Core 2.0 §2.7.3.1).
var short = map[string]string{
	"urn:oid:0.9.2342.19200300.100.1.1":                                  "uid",
	"urn:oid:0.9.2342.19200300.100.1.3":                                  "mail",
	"urn:oid:2.5.4.3":                                                    "cn",
	"urn:oid:2.5.4.4":                                                    "sn",
	"urn:oid:2.5.4.10":                                                   "o",
	"urn:oid:2.5.4.11":                                                   "ou",
	"urn:oid:2.5.4.12":                                                   "title",
	"urn:oid:2.5.4.20":                                                   "telephoneNumber",
	"urn:oid:2.5.4.42":                                                   "givenName",
	"urn:oid:2.16.840.1.113730.3.1.3":                                    "employeeNumber",
	"urn:oid:2.16.840.1.113730.3.1.4":                                    "employeeType",
	"urn:oid:2.16.840.1.113730.3.1.39":                                   "preferredLanguage",
	"urn:oid:2.16.840.1.113730.3.1.241":                                  "displayName",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.1":                                   "eduPersonAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.2":                                   "eduPersonNickname",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.3":                                   "eduPersonOrgDN",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.4":                                   "eduPersonOrgUnitDN",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.5":                                   "eduPersonPrimaryAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.6":                                   "eduPersonPrincipalName",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.7":                                   "eduPersonEntitlement",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.8":                                   "eduPersonPrimaryOrgUnitDN",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.9":                                   "eduPersonScopedAffiliation",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.10":                                  "eduPersonTargetedID",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.11":                                  "eduPersonAssurance",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.13":                                  "eduPersonUniqueId",
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.16":                                  "eduPersonOrcid",
	"urn:oid:1.3.6.1.4.1.5923.1.5.1.1":                                   "isMemberOf",
	"urn:oid:1.3.6.1.4.1.25178.1.2.9":                                    "schacHomeOrganization",
	"urn:oid:1.3.6.1.4.1.25178.1.2.10":                                   "schacHomeOrganizationType",
	"urn:oid:1.3.6.1.4.1.25178.1.2.14":                                   "schacPersonalUniqueCode",
	"urn:oasis:names:tc:SAML:attribute:subject-id":                       "subject-id",
	"urn:oasis:names:tc:SAML:attribute:pairwise-id":                      "pairwise-id",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "mail",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname":    "givenName",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname":      "sn",
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":          "upn",
	"http://schemas.microsoft.com/identity/claims/displayname":           "displayName",
	"http://schemas.microsoft.com/identity/claims/objectidentifier":      "oid",
	"http://schemas.microsoft.com/identity/claims/tenantid":              "tid",
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/groups":     "groups",
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/role":       "role",
}

// shortOf is the short name of an attribute; "" if it has none. In SAML 1.x the short name stood in a URN (MACE-Dir SAML Attribute Profiles §2).
func shortOf(name string) string {
	if old, ok := strings.CutPrefix(name, "urn:mace:dir:attribute-def:"); ok {
		return old
	}
	return short[name]
}

// openID is what OpenID Connect Core §5.1 calls a person's attribute, of those whose one value means the same there.
var openID = map[string]string{
	"mail": "email", "givenName": "given_name", "sn": "family_name", "displayName": "name",
	"uid": "preferred_username", "telephoneNumber": "phone_number", "preferredLanguage": "locale",
}

// claims gathers what conditions, mappings and userinfo read. Each attribute is found by its Name and its short name, and stands under its
// OpenID Connect name where the assertion itself does not use that one. Two that would be one claim and differ refuse.
func (a *assertion) claims() (map[string]any, *fault) {
	claims := make(map[string]any, 2*len(a.attributes)+4)
	claims[claimIssuer] = a.issuer
	if a.name != nil {
		claims[claimNameID], claims[claimFormat] = a.name.value, a.name.format
	}
	if a.authn != nil && a.authn.class != "" {
		claims[claimContext] = a.authn.class
	}
	set := func(name string, v any) *fault {
		if old, taken := claims[name]; (taken || slices.Contains(own, name)) && !reflect.DeepEqual(old, v) {
			return faulty(trust.ReasonClaim, checkClaims, quote("two different values for one claim: ", name))
		}
		claims[name] = v
		return nil
	}
	for i := range a.attributes {
		v, name := a.attributes[i].claim(), a.attributes[i].name
		if v == nil {
			continue
		}
		if f := set(name, v); f != nil {
			return nil, f
		}
		if known := shortOf(name); known != "" {
			if f := set(known, v); f != nil {
				return nil, f
			}
		}
	}
	for theirs, ours := range openID {
		if _, taken := claims[ours]; taken {
			continue
		}
		if v, ok := claims[theirs].(string); ok {
			claims[ours] = v
		}
	}
	return claims, nil
}
