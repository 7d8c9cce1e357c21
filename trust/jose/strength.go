package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// checkPublic refuses a key that must not be trusted however it was obtained: of a kind we do not use, too small or too large, with
// a broken exponent, off its curve, or with the ROCA fingerprint. It is asked when a key is loaded, not per token.
func checkPublic(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *ecdsa.PublicKey:
		if len(algsFor(k)) == 0 {
			return errors.New("curve is not P-256, P-384 or P-521")
		}
		if _, err := k.Bytes(); err != nil {
			return errors.New("point is not on the curve")
		}
		return nil
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return errors.New("Ed25519 key is not 32 bytes long")
		}
		return nil
	}
	return errors.New("key is not RSA, EC or Ed25519")
}

func checkRSA(k *rsa.PublicKey) error {
	if k == nil || k.N == nil {
		return errors.New("RSA key is empty")
	}
	bits := k.N.BitLen()
	switch {
	case bits < minRSABits:
		return fmt.Errorf("RSA key of %d bits is too weak, at least %d are needed", bits, minRSABits)
	case bits > maxRSABits:
		return fmt.Errorf("RSA key of %d bits is too large, at most %d are accepted", bits, maxRSABits)
	case k.N.Bit(0) == 0:
		return errors.New("RSA modulus is even")
	case k.E < 3 || k.E%2 == 0 || k.E > math.MaxInt32:
		return errors.New("RSA exponent is not an odd number from 3 to 2147483647")
	case hasROCAFingerprint(k.N):
		return errors.New("RSA key was made by a vulnerable Infineon library (ROCA, CVE-2017-15361)")
	}
	return nil
}

// hasROCAFingerprint says whether a modulus has the structure of CVE-2017-15361 (Nemec et al., "The Return of Coppersmith's
// Attack", ACM CCS 2017, §4.1): the weak primes are k·M + 65537^a mod M with M a product of small primes, so that the modulus
// is a power of 65537 modulo each of those. By chance that happens once in about 2^27 moduli.
func hasROCAFingerprint(n *big.Int) bool {
	for _, p := range rocaPrimes {
		residue := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		if !isPowerOf65537(residue, p) {
			return false
		}
	}
	return true
}

// rocaPrimes are the odd primes that divide M for every key size; 65537 generates only a part of the group of some of them.
var rocaPrimes = []int64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
	107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167}

// isPowerOf65537 walks the subgroup that 65537 generates modulo p.
func isPowerOf65537(residue, p int64) bool {
	power := int64(1)
	for {
		if power == residue {
			return true
		}
		if power = power * 65537 % p; power == 1 {
			return false
		}
	}
}
