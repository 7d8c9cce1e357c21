package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

func publicPEM(pub crypto.PublicKey) string {
	der := must(x509.MarshalPKIXPublicKey(pub))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func privatePEM(key crypto.Signer) string {
	der := must(x509.MarshalPKCS8PrivateKey(key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// certificate makes a self-signed certificate that the test may change before it is signed.
func certificate(key crypto.Signer, change func(*x509.Certificate)) string {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0a01),
		Subject:      pkix.Name{CommonName: "idp.hq.hmart.example", Organization: []string{"HMart"}},
		NotBefore:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(template)
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestParsePEMReadsCertificatesAndPublicKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pem     string
		allowed []Alg
		want    []Alg // of the first key
		keys    int
	}{
		"an RSA public key":                             {publicPEM(rsaKey().Public()), nil, rsaAlgs, 1},
		"an RSA key narrowed":                           {publicPEM(rsaKey().Public()), []Alg{RS256, ES256}, []Alg{RS256}, 1},
		"a P-384 public key":                            {publicPEM(p384().Public()), nil, []Alg{ES384}, 1},
		"an Ed25519 public key":                         {publicPEM(ed().Public()), nil, []Alg{EdDSA}, 1},
		"a certificate":                                 {certificate(p256(), nil), nil, []Alg{ES256}, 1},
		"a certificate with digitalSignature":           {certificate(p256(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }), nil, []Alg{ES256}, 1},
		"a certificate and a key":                       {certificate(p256(), nil) + publicPEM(ed().Public()), nil, []Alg{ES256}, 2},
		"one key twice, in a certificate and by itself": {certificate(p256(), nil) + publicPEM(p256().Public()), nil, []Alg{ES256}, 1},
		"text around the blocks":                        {"subject=/CN=idp\n" + publicPEM(p256().Public()) + "\nend\n", nil, []Alg{ES256}, 1},
		"Windows line ends":                             {strings.ReplaceAll(publicPEM(p256().Public()), "\n", "\r\n"), nil, []Alg{ES256}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := ParsePEM([]byte(c.pem), c.allowed)
			if err != nil {
				t.Fatal(err)
			}
			first := set.Keys()[0]
			if len(set.Keys()) != c.keys || first.ID != "" || !slices.Equal(first.Algs, c.want) {
				t.Errorf("got %d keys, the first with kid %q for %v; want %d for %v", len(set.Keys()), first.ID, first.Algs, c.keys, c.want)
			}
		})
	}
}

// A75 and A116 as far as the file itself can tell; which issuer it is for, the configuration says.
func TestA75_A116_ParsePEMRefuses(t *testing.T) {
	t.Parallel()
	good := publicPEM(p256().Public())
	if _, err := ParsePEM([]byte(good), nil); err != nil {
		t.Fatalf("twin: %v", err)
	}
	var crowd string
	for range maxUnnamed + 1 {
		crowd += publicPEM(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public())
	}
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	for name, c := range map[string]struct {
		pem     string
		allowed []Alg
		why     string
	}{
		"a CA certificate": {certificate(p256(), func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		}), nil, "CA certificate"},
		"a certificate for encryption":        {certificate(rsaKey(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), nil, "digitalSignature"},
		"a private key":                       {privatePEM(p256()), nil, "private key"},
		"a private key beside a good one":     {good + privatePEM(p256()), nil, "block 2 is a private key"},
		"RSA with 1024 bits":                  {publicPEM(weak.Public()), nil, "too weak"},
		"a certificate with RSA of 1024 bits": {certificate(weak, nil), nil, "too weak"},
		"P-224":                               {publicPEM(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).Public()), nil, "curve"},
		"PKCS #1":                             {string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)})), nil, "RSA PUBLIC KEY"},
		"a certificate request":               {"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", nil, "CERTIFICATE REQUEST"},
		"a block that is no certificate":      {strings.ReplaceAll(good, "PUBLIC KEY", "CERTIFICATE"), nil, "not a certificate"},
		"a block that is no public key":       {strings.ReplaceAll(certificate(p256(), nil), "CERTIFICATE", "PUBLIC KEY"), nil, "not a public key"},
		"a damaged block beside a good one":   {good + strings.Replace(good, "MFkw", "M!!w", 1), nil, "2 PEM blocks begin, but only 1"},
		"a block that does not end":           {good + "-----BEGIN PUBLIC KEY-----\nAAAA\n", nil, "2 PEM blocks begin, but only 1"},
		"no block":                            {"hello", nil, "no PEM block"},
		"too much text":                       {good + strings.Repeat(" ", maxSetBytes), nil, "larger than"},
		"five keys for one algorithm":         {crowd, nil, "more than 4"},
		"a key that is not allowed":           {good, []Alg{RS256}, "no allowed algorithm"},
		"an algorithm nobody knows":           {good, []Alg{"HS256"}, "none of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := ParsePEM([]byte(c.pem), c.allowed)
			if err == nil || set != nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, %v; want an error about %q", set, err, c.why)
			}
		})
	}
}

func TestATokenVerifiesWithAnImportedCertificate(t *testing.T) {
	t.Parallel()
	set, err := ParsePEM([]byte(certificate(p256(), nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	token := must(Sign(ES256, "any kid", "", []byte(aliceClaims), p256()))
	if err := accept(token, set); err != nil {
		t.Error(err)
	}
	other := must(Sign(ES256, "any kid", "", []byte(aliceClaims), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	if err := accept(other, set); !errors.Is(err, ErrSignature) {
		t.Errorf("another signer: got %v, want %v", err, ErrSignature)
	}
}

func TestCertificatesDescribesThem(t *testing.T) {
	t.Parallel()
	text := certificate(p256(), func(c *x509.Certificate) { c.Subject.CommonName = "idp\x1b[2J" })
	block, _ := pem.Decode([]byte(text))
	got, err := Certificates([]byte(publicPEM(ed().Public()) + text))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v; want one certificate", got, err)
	}
	fingerprint := func(b []byte) string {
		sum := sha256.Sum256(b)
		return strings.ToUpper(hex.EncodeToString(sum[:]))
	}
	want := Certificate{
		Subject:   "CN=idp?[2J,O=HMart",
		Serial:    "0A:01",
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		SHA256:    got[0].SHA256,
		KeySHA256: got[0].KeySHA256,
	}
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if plain := strings.ReplaceAll(got[0].SHA256, ":", ""); plain != fingerprint(block.Bytes) || len(got[0].SHA256) != 95 {
		t.Errorf("fingerprint %s", got[0].SHA256)
	}
	key := must(x509.MarshalPKIXPublicKey(p256().Public()))
	if plain := strings.ReplaceAll(got[0].KeySHA256, ":", ""); plain != fingerprint(key) {
		t.Errorf("key fingerprint %s", got[0].KeySHA256)
	}
	for _, bad := range []string{"", privatePEM(p256()), strings.ReplaceAll(publicPEM(p256().Public()), "PUBLIC KEY", "CERTIFICATE")} {
		if certs, err := Certificates([]byte(bad)); err == nil {
			t.Errorf("%.40q: got %+v", bad, certs)
		}
	}
}

// Most SAML identity providers sign with a self-signed certificate that openssl has made a CA's.
func TestA22_APinnedCertificateMayBeItsOwnCA(t *testing.T) {
	t.Parallel()
	ca := func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }
	if _, err := ParsePEM([]byte(certificate(p256(), ca)), nil); err == nil {
		t.Error("ParsePEM takes a CA's certificate")
	}
	if set, err := ParsePinnedPEM([]byte(certificate(p256(), ca)), nil); err != nil || len(set.Keys()) != 1 {
		t.Errorf("set %v, error %v", set, err)
	}
	for name, text := range map[string]string{
		"of 1024 bits":   certificate(must(rsa.GenerateKey(rand.Reader, 1024)), ca),
		"for encryption": certificate(rsaKey(), func(c *x509.Certificate) { ca(c); c.KeyUsage = x509.KeyUsageKeyEncipherment }),
	} {
		if _, err := ParsePinnedPEM([]byte(text), nil); err == nil {
			t.Errorf("a key %s is taken", name)
		}
	}
}

// The root was taken for a second key of the signer: it could then sign assertions itself.
func TestA22_APinnedChainIsRefused(t *testing.T) {
	t.Parallel()
	ca := func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		c.Subject.CommonName = "Root"
	}
	rootKey, key := p256(), rsaKey()
	root := certificate(rootKey, ca)
	block, _ := pem.Decode([]byte(root))
	parent := must(x509.ParseCertificate(block.Bytes))
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "idp"}, NotBefore: parent.NotBefore, NotAfter: parent.NotAfter}
	issued := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: must(x509.CreateCertificate(rand.Reader, leaf, parent, key.Public(), rootKey))}))
	for name, text := range map[string]string{"leaf first": issued + root, "root first": root + issued} {
		if set, err := ParsePinnedPEM([]byte(text), nil); err == nil || set != nil || !strings.Contains(err.Error(), "chain") {
			t.Errorf("%s: set %v, error %v", name, set, err)
		}
	}
	for name, text := range map[string]string{"the signer's own": issued, "two of its own, while it rolls": certificate(key, ca) + root} {
		if _, err := ParsePinnedPEM([]byte(text), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
