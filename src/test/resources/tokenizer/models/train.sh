#!/bin/sh
# Trains the models of this folder from corpus.txt, with spm_train of SentencePiece 0.1.97 (Debian 12: package sentencepiece).
set -eu
cd -- "$(dirname -- "$0")"
common="--input=corpus.txt --minloglevel=2 --num_threads=1 --random_seed=1 --character_coverage=0.98"
spm_train $common --model_prefix=unigram-nfkc-cf --model_type=unigram --vocab_size=1200 --normalization_rule_name=nfkc_cf --byte_fallback=true --user_defined_symbols='<x>,<x y>,你好'
spm_train $common --model_prefix=unigram-suffix --model_type=unigram --vocab_size=1100 --normalization_rule_name=nmt_nfkc --treat_whitespace_as_suffix=true --split_by_whitespace=false --user_defined_symbols='<x>,foo'
spm_train $common --model_prefix=unigram-rules --model_type=unigram --vocab_size=1000 --normalization_rule_tsv=rules.tsv --remove_extra_whitespaces=false --allow_whitespace_only_pieces=true
spm_train $common --model_prefix=bpe-nfkc --model_type=bpe --vocab_size=1300 --normalization_rule_name=nfkc --user_defined_symbols='<x>,<x y>,你好,  z'
spm_train $common --model_prefix=bpe-nmt-nfkc-cf --model_type=bpe --vocab_size=1400 --normalization_rule_name=nmt_nfkc_cf --byte_fallback=true --treat_whitespace_as_suffix=true
spm_train $common --model_prefix=bpe-identity --model_type=bpe --vocab_size=1200 --normalization_rule_name=identity --remove_extra_whitespaces=true --split_by_unicode_script=false --split_digits=true --allow_whitespace_only_pieces=true
rm -f -- *.vocab
