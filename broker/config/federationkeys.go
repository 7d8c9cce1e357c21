package config

import (
	"slices"

	"apostille/trust"
	"apostille/upstream/federation"
)

// federationKeys describe `[federation.ID]`.
func federationKeys() []key {
	return []key{
		{Name: "name", Kind: kindString, DefaultDoc: "the ID", Doc: "For admins."},
		{Name: "disabled", Kind: kindBool, Doc: "Refuse its members, but keep its lines."},
		{Name: "url", Kind: kindString, DefaultDoc: "one of `url`, `file`, `mdq`", Doc: "The aggregate of its metadata; https."},
		{Name: "file", Kind: kindString, DefaultDoc: "one of `url`, `file`, `mdq`", Path: true, Doc: "The aggregate on disk; looked at each minute."},
		{Name: "mdq", Kind: kindString, DefaultDoc: "one of `url`, `file`, `mdq`", Doc: "Base URL of its metadata query service, without `/entities`: members are asked for when somebody needs them, and the picker does not list them."},
		{Name: "certificates", Kind: kindStrings, Required: true, Min: 1, Max: 16, Path: true, Doc: "PEM files of what signs its metadata, as the federation publishes it: compare the fingerprint by another way."},
		{Name: "ca_file", Kind: kindString, Path: true, DefaultDoc: "the system's roots", Doc: "PEM file of private TLS roots."},
		{Name: "refresh", Kind: kindDuration, Default: federation.DefaultRefresh, Doc: "How often it is asked; more often if `cacheDuration` says so."},
		{Name: "max_validity", Kind: kindDuration, Default: federation.DefaultMaxValidity, Doc: "How far away `validUntil` may be."},
		{Name: "subject", Kind: kindString, DefaultDoc: "the NameID", Doc: "Attribute that names the subject, such as `subject-id`; a federation whose members send transient NameIDs needs one."},
		{Name: "require", Kind: kindTests, DefaultDoc: "nothing", Doc: "Claim → condition; binds every use."},
		{Name: "exchange", Kind: kindTable, DefaultDoc: "not exchangeable", Doc: "Whether assertions of its members may be exchanged.", Fields: []key{
			{Name: "saml2", Kind: kindTable, Inline: true, Fields: assertionKeys(), DefaultDoc: "refused", Doc: "SAML 2.0 assertions, each once."},
		}},
		{Name: "login", Kind: kindTable, Fields: federationLoginKeys(), DefaultDoc: "nobody signs in", Doc: "People may sign in with its members. What the metadata say is not written here."},
		{Name: "grant", Kind: kindTables, Fields: append(grantKeys(), membersKey()), DefaultDoc: "nothing is granted", Doc: "What people of its members may get."},
	}
}

// federationLoginKeys are those of a SAML login that metadata do not tell.
func federationLoginKeys() []key {
	return slices.DeleteFunc(trustLoginKeys(), func(k key) bool {
		return !slices.Contains([]string{
			"hidden", "session_max", "max_claims_age", "acr", "logout", "name_id_format", "attributes", "request_signing", "allow_cbc",
		}, k.Name)
	})
}

func membersKey() key {
	return key{Name: "members", Kind: kindTable, Inline: true, DefaultDoc: "all", Doc: "Which members the rule is about: all that is stated must hold.", Fields: []key{
		{Name: "categories", Kind: kindStrings, Min: 1, DefaultDoc: "any", Doc: "Entity categories, values of `" + trust.CategoryAttribute + "`: one of them."},
		{Name: "registration_authorities", Kind: kindStrings, Min: 1, DefaultDoc: "any", Doc: "Who registered it: one of them."},
		{Name: "attributes", Kind: kindListMap, DefaultDoc: "any", Doc: "Entity attribute → values: one of them each."},
	}}
}
