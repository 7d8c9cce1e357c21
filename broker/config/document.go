package config

import (
	"net/netip"
	"time"

	"apostille/trust"
)

// document is what configuration files say, merged, with the types that keyTable names. A test holds
// the two together.
type document struct {
	Issuer   string      `toml:"issuer"`
	Dev      bool        `toml:"dev"`
	KeyFile  string      `toml:"key_file"`
	Listener listenerDoc `toml:"listener"`
	Metrics  struct {
		Address string `toml:"address"`
	} `toml:"metrics"`
	Outbound struct {
		Allow   []netip.Prefix `toml:"allow"`
		Timeout time.Duration  `toml:"timeout"`
	} `toml:"outbound"`
	Store struct {
		Path string `toml:"path"`
	} `toml:"store"`
	Audit struct {
		File string `toml:"file"`
	} `toml:"audit"`
	Log struct {
		Level  string `toml:"level"`
		Format string `toml:"format"`
	} `toml:"log"`
	Limits  limitsDoc             `toml:"limits"`
	Login   loginDoc              `toml:"login"`
	APIs    map[string]*apiDoc    `toml:"api"`
	Clients map[string]*clientDoc `toml:"client"`
	Trusts  map[string]*trustDoc  `toml:"trust"`

	Federations map[string]*federationDoc `toml:"federation"`
}

type listenerDoc struct {
	Address      string         `toml:"address"`
	TLS          *tlsDoc        `toml:"tls"`
	Behind       []netip.Prefix `toml:"behind"`
	ReadTimeout  time.Duration  `toml:"read_timeout"`
	WriteTimeout time.Duration  `toml:"write_timeout"`
	IdleTimeout  time.Duration  `toml:"idle_timeout"`
	MaxHeader    int64          `toml:"max_header"`
	MaxBody      int64          `toml:"max_body"`
}

type tlsDoc struct {
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

type limitsDoc struct {
	PerIP      *rateDoc `toml:"per_ip"`
	PerClient  *rateDoc `toml:"per_client"`
	Concurrent int64    `toml:"concurrent"`
}

type rateDoc struct {
	Rate  float64 `toml:"rate"`
	Burst int64   `toml:"burst"`
}

type loginDoc struct {
	Name        string        `toml:"name"`
	Contact     string        `toml:"contact"`
	Language    string        `toml:"language"`
	SessionIdle time.Duration `toml:"session_idle"`
	SessionMax  time.Duration `toml:"session_max"`
	Remember    time.Duration `toml:"remember"`
	Unfinished  int64         `toml:"unfinished"`
}

type apiDoc struct {
	Audience  string             `toml:"audience"`
	Resources []string           `toml:"resources"`
	Client    string             `toml:"client"`
	Scopes    map[string]textDoc `toml:"scopes"`
	Reserved  []string           `toml:"first_party_scopes"`
	Token     struct {
		Alg       string `toml:"alg"`
		Typ       string `toml:"typ"`
		Format    string `toml:"format"`
		Recipient string `toml:"recipient"`
	} `toml:"token"`
	Lifetime time.Duration `toml:"lifetime"`
}

type clientDoc struct {
	Name         string              `toml:"name"`
	Disabled     bool                `toml:"disabled"`
	Grants       []string            `toml:"grants"`
	APIs         map[string][]string `toml:"apis"`
	Lifetime     time.Duration       `toml:"lifetime"`
	SecretSHA256 []string            `toml:"secret_sha256"`
	JWKSFile     string              `toml:"jwks_file"`
	Secret       string              `toml:"secret"`

	SAML         *samlAppDoc    `toml:"saml"`
	FirstParty   bool           `toml:"first_party"`
	Public       bool           `toml:"public"`
	RedirectURIs []string       `toml:"redirect_uris"`
	PKCE         string         `toml:"pkce"`
	Trusts       []string       `toml:"trusts"`
	IDToken      *idTokenDoc    `toml:"id_token"`
	Sector       string         `toml:"sector"`
	PostLogout   []string       `toml:"post_logout_redirect_uris"`
	BackLogout   string         `toml:"backchannel_logout_uri"`
	FrontLogout  string         `toml:"frontchannel_logout_uri"`
	Origins      []string       `toml:"origins"`
	RefreshMax   time.Duration  `toml:"refresh_lifetime"`
	RefreshIdle  time.Duration  `toml:"refresh_idle"`
	RefreshGrace *time.Duration `toml:"refresh_grace"`
}

type samlAppDoc struct {
	MetadataFile   string   `toml:"metadata_file"`
	EntityID       string   `toml:"entity_id"`
	ACS            []string `toml:"acs"`
	Certificates   []string `toml:"certificates"`
	SLOURL         string   `toml:"slo_url"`
	SignedRequests bool     `toml:"signed_requests"`
	Encrypt        bool     `toml:"encrypt"`
	NameIDFormat   string   `toml:"name_id_format"`
}

type idTokenDoc struct {
	Alg string `toml:"alg"`
}

type trustDoc struct {
	Name       string                         `toml:"name"`
	Disabled   bool                           `toml:"disabled"`
	Issuer     string                         `toml:"issuer"`
	Domain     string                         `toml:"domain"`
	Subject    string                         `toml:"subject"`
	Keys       *sourceDoc                     `toml:"keys"`
	Algorithms []string                       `toml:"algorithms"`
	MaxStale   time.Duration                  `toml:"max_stale"`
	CAFile     string                         `toml:"ca_file"`
	Require    map[string]trust.ConditionSpec `toml:"require"`
	Scopes     []string                       `toml:"attribute_scopes"`
	Exchange   struct {
		JWT     *useDoc       `toml:"jwt"`
		IDToken *useDoc       `toml:"id_token"`
		SAML2   *assertionDoc `toml:"saml2"`
	} `toml:"exchange"`
	Login  *trustLoginDoc `toml:"login"`
	Grants []grantDoc     `toml:"grant"`
}

type trustLoginDoc struct {
	memberLoginDoc
	SPEntityID        string    `toml:"sp_entity_id"`
	IdPInitiated      bool      `toml:"idp_initiated"`
	Protocol          string    `toml:"protocol"`
	ClientID          string    `toml:"client_id"`
	ClientSecret      secretDoc `toml:"client_secret"`
	Auth              string    `toml:"auth"`
	AssertionAudience string    `toml:"assertion_audience"`
	Scopes            []string  `toml:"scopes"`
	UserInfo          *bool     `toml:"userinfo"`
	ResponseMode      string    `toml:"response_mode"`
	EmailDomains      []string  `toml:"email_domains"`
	Keywords          []string  `toml:"keywords"`
	Logo              string    `toml:"logo"`
	RefreshClaims     bool      `toml:"refresh_claims"`

	SSOURL     string `toml:"sso_url"`
	SSOBinding string `toml:"sso_binding"`
	SLOURL     string `toml:"slo_url"`
}

// memberLoginDoc is what a login has that no metadata tell.
type memberLoginDoc struct {
	Hidden       bool              `toml:"hidden"`
	SessionMax   time.Duration     `toml:"session_max"`
	MaxClaimsAge time.Duration     `toml:"max_claims_age"`
	ACR          map[string]string `toml:"acr"`
	Logout       bool              `toml:"logout"`
	NameIDFormat string            `toml:"name_id_format"`
	Attributes   map[string]string `toml:"attributes"`
	SignRequests *bool             `toml:"request_signing"`
	AllowCBC     bool              `toml:"allow_cbc"`
}

type sourceDoc struct {
	Discovery    bool     `toml:"discovery"`
	JWKSURL      string   `toml:"jwks_url"`
	JWKSFile     string   `toml:"jwks_file"`
	Certificates []string `toml:"certificates"`
	MetadataFile string   `toml:"metadata_file"`
	Federation   string   `toml:"federation"`
}

type federationDoc struct {
	Name         string                         `toml:"name"`
	Disabled     bool                           `toml:"disabled"`
	URL          string                         `toml:"url"`
	File         string                         `toml:"file"`
	MDQ          string                         `toml:"mdq"`
	Certificates []string                       `toml:"certificates"`
	CAFile       string                         `toml:"ca_file"`
	Refresh      time.Duration                  `toml:"refresh"`
	MaxValidity  time.Duration                  `toml:"max_validity"`
	Subject      string                         `toml:"subject"`
	Require      map[string]trust.ConditionSpec `toml:"require"`
	Exchange     struct {
		SAML2 *assertionDoc `toml:"saml2"`
	} `toml:"exchange"`
	Login  *memberLoginDoc      `toml:"login"`
	Grants []federationGrantDoc `toml:"grant"`
}

type federationGrantDoc struct {
	grantDoc
	Members *membersDoc `toml:"members"`
}

type membersDoc struct {
	Categories  []string            `toml:"categories"`
	Authorities []string            `toml:"registration_authorities"`
	Attributes  map[string][]string `toml:"attributes"`
}

type useDoc struct {
	Audiences []string      `toml:"audiences"`
	Parties   []string      `toml:"parties"`
	Types     []string      `toml:"types"`
	MaxAge    time.Duration `toml:"max_age"`
	OneTime   bool          `toml:"one_time"`
}

type assertionDoc struct {
	Audiences  []string      `toml:"audiences"`
	Recipients []string      `toml:"recipients"`
	MaxAge     time.Duration `toml:"max_age"`
}

type grantDoc struct {
	Clients         []string                       `toml:"clients"`
	Unauthenticated bool                           `toml:"unauthenticated"`
	SignIn          bool                           `toml:"sign_in"`
	API             string                         `toml:"api"`
	Scopes          scopesDoc                      `toml:"scopes"`
	DefaultScopes   []string                       `toml:"default_scopes"`
	When            map[string]trust.ConditionSpec `toml:"when"`
	Claims          map[string]string              `toml:"claims"`
	Lifetime        time.Duration                  `toml:"lifetime"`
}

// textDoc is a text for people, by language; a plain string stands under "".
type textDoc map[string]string

// scopesDoc is `scopes` of a grant rule: one of its two forms.
type scopesDoc struct {
	List []string
	Map  map[string]string
}
