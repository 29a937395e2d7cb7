from sklearn.utils.estimator_checks import parametrize_with_checks

from atomotif.numerics.force_layout import ForceRelaxedLayout


@parametrize_with_checks([ForceRelaxedLayout(n_iterations=10)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
