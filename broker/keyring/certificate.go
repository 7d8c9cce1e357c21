package keyring

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"apostille/broker/store"
)

// certificateYears is how long a certificate says that it is valid. What counts is the key in it: peers pin it.
const certificateYears = 20

// certificate makes the self-signed certificate of an RSA key. It is not stored: it follows from key, name and the key's age alone, since
// PKCS #1 signatures have no randomness, so that every process and every start publishes the same one.
func certificate(k store.Key, private crypto.Signer, name string) ([]byte, error) {
	sum := sha256.Sum256(k.Public)
	from := k.Created.UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(sum[:16]),
		Subject:               pkix.Name{CommonName: commonName(name)},
		NotBefore:             from,
		NotAfter:              from.AddDate(certificateYears, 0, 0),
		SubjectKeyId:          sum[:20], // else it would depend on the release of Go
		SignatureAlgorithm:    x509.SHA256WithRSA,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
	if k.Alg == RSAOAEP {
		t.KeyUsage = x509.KeyUsageKeyEncipherment
	}
	return x509.CreateCertificate(rand.Reader, t, t, private.Public(), private)
}

// commonName fits a name into what X.520 allows.
func commonName(name string) string {
	const most = 64
	return name[:min(len(name), most)]
}

// Certified is a key that peers may know, by its certificate.
type Certified struct {
	State       State
	Key         crypto.Signer // RSA keys are crypto.Decrypters as well
	Certificate []byte        // DER
}

// Certified lists the keys that are in use or about to be, the one that is active first, and those that may still be used by others.
func (r *Ring) Certified() []Certified {
	now, v := r.c.Now(), r.current()
	var list []Certified
	for _, state := range []State{Active, Scheduled, Retiring} {
		for _, k := range v.keys {
			if StateOf(k.Key, now) == state {
				list = append(list, Certified{state, k.private, k.certificate})
			}
		}
	}
	return list
}
