"""Consultations: a patient played from a case, a doctor that answers, every dialogue kept beside its scores."""
